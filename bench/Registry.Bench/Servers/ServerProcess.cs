using System.Diagnostics;
using Registry.Testing.Processes;

namespace Registry.Bench.Servers;

/// <summary>A registry that is started here with an empty folder, and ended and removed with it.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;

    private ServerProcess(string name, Uri address, string folder, Process process)
    {
        _process = process;
        Folder = folder;
        Target = new(name, address, process);
    }

    public Target Target { get; }

    /// <summary>Where its data lies.</summary>
    public string Folder { get; }

    /// <summary>This repository's server, as it is shipped.</summary>
    /// <param name="folder">An empty one of its own, unless it goes on with what another one has left.</param>
    /// <param name="settings">Variables of its environment.</param>
    public static ServerProcess Ours(
        string? folder = null, IReadOnlyDictionary<string, string?>? settings = null)
    {
        folder ??= NewFolder();
        var port = LoopbackPort.Free();
        return Start(
            "Registry", folder, port, settings, "dotnet", RepositoryRoot.ServerAssembly, "--port", $"{port}", "--data", folder);
    }

    /// <summary>CNCF Distribution as Debian packages it, with its own defaults for everything that is not said.</summary>
    /// <param name="storage">Lines of the section <c>storage</c> in place of a folder, indented by two.</param>
    public static ServerProcess Distribution(string? storage = null)
    {
        var (folder, port) = (NewFolder(), LoopbackPort.Free());
        storage ??= $"  filesystem: {{ rootdirectory: {folder}/registry, maxthreads: 100 }}";
        var configuration = Path.Combine(folder, "config.yml");
        File.WriteAllText(configuration, $$"""
            version: 0.1
            log: { level: error, accesslog: { disabled: true } }
            storage:
            {{storage}}
              cache: { blobdescriptor: inmemory }
              delete: { enabled: true }
            http: { addr: "127.0.0.1:{{port}}" }
            """);
        return Start("Distribution", folder, port, settings: null, "docker-registry", "serve", configuration);
    }

    /// <summary>
    /// How often this repository's server has answered a request, by its access log; it is up to date when the server
    /// is idle.
    /// </summary>
    public int CountAnswered(string method, string path)
    {
        // Each line is of one request, and its members are in one order.
        var wanted = $"\"method\":\"{method}\",\"path\":\"{path}\",";
        return File.ReadLines(LogOf(Folder)).Count(line => line.Contains(wanted, StringComparison.Ordinal));
    }

    /// <summary>Ends the server and leaves its data, for <see cref="Ours"/> to go on with.</summary>
    public void Stop()
    {
        if (_process.HasExited)
            return;
        Process.Start("kill", ["-TERM", $"{_process.Id}"]).WaitForExit();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(30)))
            throw new TimeoutException($"{Target.Name} does not end.");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>From the start of the process to the first 200.</summary>
    public TimeSpan StartedIn { get; private init; }

    private static ServerProcess Start(
        string name, string folder, int port, IReadOnlyDictionary<string, string?>? settings, string program,
        params string[] arguments)
    {
        // Into a file, which costs the machine less than a reader of a pipe would.
        var log = LogOf(folder);
        var clock = Stopwatch.StartNew();
        var start = new ProcessStartInfo(
            "sh", ["-c", "log=$1; shift; exec \"$@\" > \"$log\" 2>&1", "sh", log, program, .. arguments]);
        // What the machine has for AWS's tools is not meant for an S3 server of this run.
        foreach (var key in start.Environment.Keys.Where(key => key.StartsWith("AWS_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(key);
        foreach (var (key, value) in settings ?? new Dictionary<string, string?>(StringComparer.Ordinal))
            start.Environment[key] = value;
        var process = Process.Start(start)!;

        var address = new Uri($"http://127.0.0.1:{port}");
        using var http = new HttpClient();
        while (!Answers())
        {
            if (process.HasExited || clock.Elapsed > TimeSpan.FromSeconds(60))
                throw new InvalidOperationException($"{name} does not answer:\n{File.ReadAllText(log)}");
            Thread.Sleep(5);
        }

        return new(name, address, folder, process) { StartedIn = clock.Elapsed };

        bool Answers()
        {
            try
            {
                using var answer = http.Send(new(HttpMethod.Get, new Uri(address, "/v2/")));
                return answer.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }
    }

    private static string LogOf(string folder) => Path.Combine(folder, "server.log");

    private static string NewFolder() => Directory.CreateTempSubdirectory("registry-bench-").FullName;
}
