using System.CommandLine;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Registry.Domain.Errors;
using Registry.Infrastructure;
using Registry.Infrastructure.Access.Local;
using Registry.Infrastructure.Database;
using Registry.Web.Configuration;
using Registry.Web.Connections;
using Registry.Web.Requests;
using Registry.Web.Tls;

namespace Registry.Web.Commands;

/// <summary><c>registry serve</c>: runs the server until it is told to stop.</summary>
internal sealed class ServeCommand : Command
{
    private const int Refused = 1;

    private readonly ServerSettings _server = new();

    private readonly Option<string?> _data = new("--data")
    {
        Description = "Folder for everything that is stored (default ./data).",
    };

    private readonly Option<string?> _anonymous = new("--anonymous")
    {
        Description = "What clients without credentials may do: none, pull or push. "
            + "Default push, as long as only this machine is served.",
    };

    private readonly Option<bool> _verbose = new("--verbose") { Description = "Log more." };

    public ServeCommand()
        : base("serve", "Run the registry (the default command).")
    {
        foreach (var option in AllOptions)
            Options.Add(option);
        SetAction(RunAsync);
    }

    /// <summary>The root command has them too, so that <c>serve</c> may be left out.</summary>
    public IEnumerable<Option> AllOptions
        => [_server.Port, _server.Listen, _data, _server.Config, _anonymous, _verbose];

    public async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var listeners = "";
        try
        {
            await using var app = Build(arguments, out listeners);
            await app.StartAsync(cancellationToken);
            await app.WaitForShutdownAsync(cancellationToken);
            return 0;
        }
        catch (StartRefusedException e)
        {
            return await RefuseAsync(e.Message);
        }
        catch (IOException e) when (e.Message.StartsWith("Failed to bind", StringComparison.Ordinal))
        {
            return await RefuseAsync(
                $"{e.Message.TrimEnd('.')}: another program listens there; "
                + "choose another one with --port or --listen.");
        }
        catch (SocketException e)
        {
            return await RefuseAsync(
                $"The server cannot listen on {listeners} ({e.Message}): "
                + "choose another address with --listen or another port with --port.");
        }
        catch (StorageException e)
        {
            return await RefuseAsync(
                $"{e.Error.Message.TrimEnd('.')}: {e.GetBaseException().Message.ReplaceLineEndings(" ")}");
        }
    }

    private WebApplication Build(ParseResult arguments, out string addresses)
    {
        var (builder, options) = _server.Read(arguments, ToSettings(arguments));
        ConsoleLog.Configure(builder.Logging, arguments.GetValue(_verbose));
        builder.Services.AddRegistry(options);
        IConfigurationSource[] sources = [.. ((IConfigurationBuilder)builder.Configuration).Sources];
        var read = ConfigurationFiles.Fingerprint(sources);
        builder.Services.AddHostedService(provider => new ConfigurationFiles(
            sources, read, provider.GetRequiredService<RuleReload>(), provider.GetRequiredService<TimeProvider>()));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));

        var listeners = _server.Listeners(arguments, options);
        if (options.Access.IsUndecided() && listeners.FirstOrDefault(listener => !listener.IsLoopback) is { } open)
        {
            throw new StartRefusedException(
                $"Registry:Listen (--listen) has '{open.Text}', which other machines can reach, and nothing says "
                + "what they may do: set Registry:Access:Anonymous (--anonymous) to None, Pull or Push, "
                + "or say who may do what with Registry:Access:Rules.");
        }

        var hasTls = listeners.Any(listener => listener.IsTls);
        if (hasTls)
        {
            builder.Services.AddSingleton(options.Tls);
            builder.Services.AddSingleton<ServerCertificates>();
        }

        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, listeners, options.Limits));
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, ConnectionMemory>();
        // A connection's bytes stay on the thread that has them: what blocks here blocks its own connection alone.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        // Flushes to disk block their threads, and so do short queries of a database server.
        var queries = options.Database.Kind is DatabaseKind.PostgreSql ? options.Database.MaxConnections : 0;
        ThreadPool.SetMinThreads(Math.Max(16, Environment.ProcessorCount * 4) + queries, 4);

        var app = builder.Build();
        if (hasTls)
            Open(app.Services.GetRequiredService<ServerCertificates>());
        app.MapRegistry();
        addresses = string.Join(", ", listeners.Select(listener => listener.Text));
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            ConsoleLog.Started(app.Logger, string.Join(", ", app.Urls), Path.GetFullPath(options.Data));
            ShowFirstPassword(app.Services.GetService<FirstAdmin>());
        });
        return app;
    }

    // To somebody who sits there, and to nothing that keeps what it is given.
    private static void ShowFirstPassword(FirstAdmin? admin)
    {
        if (admin?.Written is not { } file || Console.IsOutputRedirected || Console.IsErrorRedirected)
            return;
        try
        {
            Console.Error.WriteLine($"The first password of {FirstAdmin.Name}: {File.ReadAllText(file).Trim()}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The log has told where it is.
        }
    }

    private static void Open(ServerCertificates certificates)
    {
        try
        {
            certificates.Open();
        }
        catch (FormatException e)
        {
            throw new StartRefusedException(e.Message, e);
        }
    }

    private static void Configure(
        KestrelServerOptions kestrel, IReadOnlyList<Listener> listeners, LimitOptions limits)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null; // blobs have any size; all other bodies have limits of their own
        kestrel.Limits.MaxRequestLineSize = 8 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        kestrel.Limits.RequestHeadersTimeout = limits.HeaderTimeout;
        kestrel.Limits.KeepAliveTimeout = limits.IdleTimeout;
        kestrel.Limits.MaxConcurrentConnections = limits.Connections > 0 ? limits.Connections : null;

        // One connection may do what a hundred could, and not hold more of the memory than a few of them.
        kestrel.Limits.Http2.MaxStreamsPerConnection = 100;
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = 16 * 1024;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 1024 * 1024;
        kestrel.Limits.Http2.InitialStreamWindowSize = 768 * 1024;
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromMinutes(1);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);

        // A client that compresses while it sends, or unpacks while it reads, pauses for long; one that never goes on
        // is cut off.
        var rate = new MinDataRate(bytesPerSecond: 100, gracePeriod: TimeSpan.FromMinutes(1));
        kestrel.Limits.MinRequestBodyDataRate = rate;
        kestrel.Limits.MinResponseDataRate = rate;
        var certificates = kestrel.ApplicationServices.GetService<ServerCertificates>();
        foreach (var listener in listeners)
            listener.AddTo(kestrel, certificates);
    }

    private Dictionary<string, string?> ToSettings(ParseResult arguments)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (arguments.GetValue(_data) is { } data)
            settings["Registry:Data"] = data;
        if (arguments.GetValue(_anonymous) is { } anonymous)
            settings["Registry:Access:Anonymous"] = anonymous;
        return settings;
    }

    /// <summary>Says in one line why nothing runs.</summary>
    public static async Task<int> RefuseAsync(string message)
    {
        await Console.Error.WriteLineAsync($"registry: {message}");
        return Refused;
    }
}
