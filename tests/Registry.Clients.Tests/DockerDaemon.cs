using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

/// <summary>A Docker daemon of the tests' own: on a socket in a temporary folder, without network, ended by its id.</summary>
public sealed class DockerDaemon : IAsyncLifetime
{
    private readonly ClientWorkspace _work = new();
    private readonly string[] _options;
    private ChildProcess? _daemon;

    public DockerDaemon(RunningRegistry registry)
        : this("--insecure-registry", registry.Host)
    {
    }

    internal DockerDaemon(params string[] options) => _options = options;

    public ClientWorkspace Work => _work;

    public async Task InitializeAsync()
    {
        // The fixture is made even when all its tests are skipped.
        if (Programs.ReasonToSkip("docker", "dockerd") is not null)
            return;

        _work.Set("DOCKER_HOST", $"unix://{Socket}");
        if (await StartAsync("overlay2") is not null && await StartAsync("vfs") is { } failure)
            throw new InvalidOperationException($"dockerd does not run here.\n{failure}");
    }

    public async Task DisposeAsync()
    {
        if (_daemon is not null)
        {
            // SIGTERM first: the daemon unmounts its layers and ends its containerd.
            await _daemon.StopAsync(TimeSpan.FromSeconds(20));
            await _daemon.DisposeAsync();
        }

        _work.Dispose();
    }

    public Task<string> DockerAsync(params string[] arguments) => _work.RunAsync("docker", arguments);

    /// <summary>Makes an image of a random file and a real program; nothing is pulled.</summary>
    public async Task<string> ImportAsync(string name, int bytes)
    {
        var tar = _work.Path($"{Guid.NewGuid():N}.tar");
        await File.WriteAllBytesAsync(
            tar, ImageLayout.Tar("data.bin", System.Security.Cryptography.RandomNumberGenerator.GetBytes(bytes)));
        var id = await DockerAsync("import", tar, name);
        File.Delete(tar);
        return id.Trim();
    }

    private string Socket => _work.Path("d.sock");

    private async Task<string?> StartAsync(string storageDriver)
    {
        _daemon = _work.Start(
            "dockerd",
            [
                "--host", $"unix://{Socket}", "--data-root", _work.Folder($"data-{storageDriver}"),
                "--exec-root", _work.Folder("exec"), "--pidfile", _work.Path("d.pid"),
                "--iptables=false", "--ip6tables=false", "--bridge=none", $"--storage-driver={storageDriver}",
                .. _options,
            ]);
        for (var attempt = 0; attempt < 100 && !_daemon.HasExited; attempt++)
        {
            await Task.Delay(200);
            if (File.Exists(Socket) && (await _work.TryRunAsync("docker", "version")).Succeeded)
                return null;
        }

        await _daemon.StopAsync(TimeSpan.FromSeconds(10));
        var said = _daemon.Error;
        await _daemon.DisposeAsync();
        _daemon = null;
        return said;
    }
}
