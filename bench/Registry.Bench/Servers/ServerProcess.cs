using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

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
    public static ServerProcess Ours(string? folder = null)
    {
        folder ??= NewFolder();
        var port = FreePort();
        return Start(
            "Registry", folder, port, "dotnet", ServerAssembly(), "--port", $"{port}", "--data", folder);
    }

    /// <summary>CNCF Distribution as Debian packages it, with its own defaults for everything that is not said.</summary>
    public static ServerProcess Distribution()
    {
        var (folder, port) = (NewFolder(), FreePort());
        var configuration = Path.Combine(folder, "config.yml");
        File.WriteAllText(configuration, $$"""
            version: 0.1
            log: { level: error, accesslog: { disabled: true } }
            storage:
              filesystem: { rootdirectory: {{folder}}/registry, maxthreads: 100 }
              cache: { blobdescriptor: inmemory }
              delete: { enabled: true }
            http: { addr: "127.0.0.1:{{port}}" }
            """);
        return Start("Distribution", folder, port, "docker-registry", "serve", configuration);
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

    private static ServerProcess Start(string name, string folder, int port, string program, params string[] arguments)
    {
        // Into a file, which costs the machine less than a reader of a pipe would.
        var log = Path.Combine(folder, "server.log");
        var clock = Stopwatch.StartNew();
        var process = Process.Start(
            "sh", ["-c", "log=$1; shift; exec \"$@\" > \"$log\" 2>&1", "sh", log, program, .. arguments]);

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

    private static string ServerAssembly()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var built = Path.Combine(folder, "src/Registry.Web/bin/Release/net10.0/Registry.Web.dll");
            if (File.Exists(built))
                return built;
        }

        throw new FileNotFoundException("The server is not built: dotnet build -c Release src/Registry.Web");
    }

    private static string NewFolder() => Directory.CreateTempSubdirectory("registry-bench-").FullName;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
