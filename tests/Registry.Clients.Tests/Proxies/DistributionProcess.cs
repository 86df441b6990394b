using System.Globalization;
using System.Net;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Proxies;

/// <summary>Debian's <c>docker-registry</c> (CNCF Distribution) with one user, as an upstream.</summary>
internal sealed class DistributionProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ClientWorkspace _work = new();
    private ChildProcess? _process;

    public string Host { get; private set; } = "";

    public static async Task<DistributionProcess> StartAsync(string user, string password)
    {
        var started = new DistributionProcess();
        try
        {
            await started.BeginAsync(user, password);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    public async Task StopAsync()
    {
        if (_process is not null)
            await _process.StopAsync(TimeSpan.FromSeconds(10));
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await StopAsync();
            await _process.DisposeAsync();
        }

        _work.Dispose();
    }

    private async Task BeginAsync(string user, string password)
    {
        var users = _work.Write("users", await _work.RunAsync("htpasswd", "-Bbn", user, password));
        Host = $"127.0.0.1:{LoopbackPort.Free().ToString(CultureInfo.InvariantCulture)}";
        _work.Write("config.yml", $"""
            version: 0.1
            log:
              accesslog:
                disabled: true
            storage:
              filesystem:
                rootdirectory: {_work.Folder("data")}
            http:
              addr: {Host}
            auth:
              htpasswd:
                realm: upstream
                path: {users}
            """);
        // Not as the clients are started: it takes their REGISTRY_AUTH_FILE for a setting of its own.
        _process = ChildProcess.Start("docker-registry", ["serve", _work.Path("config.yml")]);
        using var http = new HttpClient();
        using var timeout = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri($"http://{Host}/v2/"), timeout.Token);
                if (answer.StatusCode is HttpStatusCode.Unauthorized)
                    return;
            }
            catch (HttpRequestException failure)
            {
                if (_process.HasExited)
                    throw new InvalidOperationException($"docker-registry does not run here.\n{_process.Error}", failure);
            }

            await Task.Delay(50, timeout.Token);
        }
    }
}
