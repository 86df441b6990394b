using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Registry.Testing.Processes;

/// <summary>The shipped server as a process of its own, on a data folder and a loopback port.</summary>
public sealed class RegistryProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    private readonly ChildProcess _process;
    private readonly Secrets _secrets = new();

    private RegistryProcess(
        ChildProcess process, Uri address, IEnumerable<KeyValuePair<string, string>> settings)
    {
        _process = process;
        Address = address;
        foreach (var (key, value) in settings)
            _secrets.AddSetting(key, value);
    }

    public Uri Address { get; }

    /// <summary>What clients put before the repository's name.</summary>
    public string Host => Address.Authority;

    public int Id => _process.Id;

    /// <summary>From the start of the process to the first answer.</summary>
    public TimeSpan StartedIn { get; private init; }

    /// <summary>What the server wrote: shown when a test fails.</summary>
    public string Log => _process.Output + _process.Error;

    /// <param name="dataFolder">All of the server's state.</param>
    /// <param name="readyPath">The path whose first 200 ends the start.</param>
    /// <param name="listen">The loopback address; 127.0.0.1 unless given.</param>
    /// <param name="settings">Settings by key, such as <c>Registry:Database:Kind</c>.</param>
    /// <param name="tracer">A command that runs the server in its place, and under its own id.</param>
    public static async Task<RegistryProcess> StartAsync(
        string dataFolder, string readyPath = "/healthz/ready", IPAddress? listen = null,
        IReadOnlyDictionary<string, string>? settings = null, params string[] tracer)
    {
        if (!File.Exists(RepositoryRoot.ServerAssembly))
            throw new FileNotFoundException($"The server is not built: no {RepositoryRoot.ServerAssembly}.");

        listen ??= IPAddress.Loopback;
        var port = LoopbackPort.Free(listen);
        var address = new Uri($"http://{listen}:{port}/");
        string[] command =
        [
            .. tracer, "dotnet", RepositoryRoot.ServerAssembly,
            "--listen", listen.ToString(), "--port", port.ToString(CultureInfo.InvariantCulture), "--data", dataFolder,
        ];
        var clock = Stopwatch.StartNew();
        var process = ChildProcess.Start(command[0], command[1..], ServerEnvironment(settings));
        try
        {
            await WaitUntilReadyAsync(process, new Uri(address, readyPath), clock);
            return new RegistryProcess(process, address, settings ?? new Dictionary<string, string>(StringComparer.Ordinal)) { StartedIn = clock.Elapsed };
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>kill -9.</summary>
    public void KillAbruptly() => _process.KillAbruptly();

    /// <summary>SIGTERM; false when the server did not end by itself.</summary>
    public Task<bool> StopAsync() => _process.StopAsync(TimeSpan.FromSeconds(20));

    /// <summary>The most memory the process ever held, in bytes.</summary>
    public long PeakResidentBytes()
    {
        var line = File.ReadLines($"/proc/{Id}/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        var kibibytes = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _process.DisposeAsync();
        _secrets.ExpectNoneIn(Log);
    }

    private static Dictionary<string, string> ServerEnvironment(IReadOnlyDictionary<string, string>? settings)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["DOTNET_NOLOGO"] = "1",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
        };
        // The runtime may be installed where only this variable says.
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } root)
            environment["DOTNET_ROOT"] = root;
        foreach (var (key, value) in settings ?? new Dictionary<string, string>(StringComparer.Ordinal))
            environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        return environment;
    }

    private static async Task WaitUntilReadyAsync(ChildProcess process, Uri probe, Stopwatch clock)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        while (clock.Elapsed < StartPatience)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"The server ended at start.\n{process.Output}\n{process.Error}");
            try
            {
                using var answer = await http.GetAsync(probe);
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // Not listening yet.
            }

            await Task.Delay(10);
        }

        throw new TimeoutException($"{probe} gave no 200 in {StartPatience.TotalSeconds} s.\n{process.Output}\n{process.Error}");
    }
}
