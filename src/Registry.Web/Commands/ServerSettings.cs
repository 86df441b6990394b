using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Registry.Infrastructure;
using Registry.Web.Configuration;

namespace Registry.Web.Commands;

/// <summary>How a server is configured and where it listens: the same for each command that must know.</summary>
internal sealed class ServerSettings
{
    public Option<int?> Port { get; } = new("--port")
    {
        Description = "Port to listen on (default 5000).",
        CustomParser = ParsePort,
    };

    public Option<string?> Listen { get; } = new("--listen")
    {
        Description = "Address to listen on: localhost (default), an IP address, or * for all.",
    };

    public Option<FileInfo?> Config { get; } = new("--config")
    {
        Description = "A configuration file (JSON) besides appsettings.json.",
    };

    /// <summary>Reads all sources.</summary>
    /// <param name="settings">What the rest of the command line sets, by key.</param>
    /// <exception cref="StartRefusedException">Names what is wrong with them.</exception>
    public (WebApplicationBuilder Builder, RegistryOptions Options) Read(
        ParseResult arguments, IReadOnlyDictionary<string, string?> settings)
    {
        try
        {
            var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
            {
                // appsettings.json stands beside the program, wherever it is started
                ContentRootPath = AppContext.BaseDirectory,
                // The framework would forget all that a file said, AllowedHosts among it, when it is broken for a
                // moment.
                Args = ["--hostBuilder:reloadConfigOnChange=false"],
            });
            if (arguments.GetValue(Config) is { } file)
            {
                if (!file.Exists)
                    throw new StartRefusedException(
                        $"The configuration file '{file.FullName}' does not exist: check --config.");
                builder.Configuration.AddJsonFile(file.FullName);
                builder.Configuration.AddEnvironmentVariables(); // again: they win over files
            }

            builder.Configuration.AddInMemoryCollection(settings);
            return (builder, ConfigurationReader.Read(builder.Configuration));
        }
        catch (Exception e) when (
            e is InvalidDataException or FormatException or FileNotFoundException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(
                $"The configuration cannot be read: {e.Message.TrimEnd('.')}: {e.GetBaseException().Message}", e);
        }
    }

    /// <summary>The configured listeners, or the one that the command line wants instead.</summary>
    /// <exception cref="StartRefusedException">One of them is no address to listen on.</exception>
    public IReadOnlyList<Listener> Listeners(ParseResult arguments, RegistryOptions options)
    {
        var listeners = options.Listen.Select(Listener.Parse).ToList();
        var (host, port) = (arguments.GetValue(Listen), arguments.GetValue(Port));
        return host is null && port is null ? listeners : [listeners[0].With(host, port)];
    }

    private static int? ParsePort(ArgumentResult argument)
    {
        var text = argument.Tokens.Count == 0 ? "" : argument.Tokens[0].Value;
        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            return port;
        argument.AddError($"--port is '{text}', but must be a whole number from 0 to 65535.");
        return null;
    }
}
