using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Proxies;

/// <summary>
/// Clients that are told to use a mirror of Docker Hub, as <c>docs/mirrors.md</c> says: they go on calling images what
/// they have always called them. A registry of this machine plays the Hub.
/// </summary>
public sealed class MirrorTests(ContainerdTests.Daemon containerd)
    : IAsyncLifetime, IClassFixture<ContainerdTests.Daemon>
{
    private const string Image = "docker.io/library/mirrored:v1";

    private readonly ClientWorkspace _work = new();
    private readonly WorkFolder _origin = new("hub");
    private readonly WorkFolder _data = new("mirror");
    private RegistryProcess? _hub;
    private RegistryProcess? _mirror;

    private string Host => _mirror!.Host;

    public async Task InitializeAsync()
    {
        if (Programs.ReasonToSkip("skopeo") is not null)
            return;
        _hub = await RegistryProcess.StartAsync(_origin.Path);
        _mirror = await RegistryProcess.StartAsync(
            _data.Path,
            settings: new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Registry:Access:Anonymous"] = "Pull",
                ["Registry:Registries:hub:Kind"] = "Proxy",
                ["Registry:Registries:hub:Path"] = "hub",
                ["Registry:Registries:hub:Hosts:0"] = "localhost",
                ["Registry:Registries:hub:Upstream"] = _hub.Address.GetLeftPart(UriPartial.Authority),
                ["Registry:Registries:hub:Namespaces:0"] = "docker.io",
                ["Registry:Registries:hub:ImpliedPrefix"] = "library",
            });
        var folder = _work.Folder("layout");
        new ImageLayout(folder).AddImage("v1", "amd64", 300_000, 5_000);
        await _work.RunAsync(
            "skopeo", "copy", "--dest-tls-verify=false", $"oci:{folder}:v1", $"docker://{_hub.Host}/library/mirrored:v1");
    }

    public async Task DisposeAsync()
    {
        if (_mirror is not null)
            await _mirror.DisposeAsync();
        if (_hub is not null)
            await _hub.DisposeAsync();
        _work.Dispose();
        _origin.Dispose();
        _data.Dispose();
    }

    [ClientFact("containerd", "ctr", "skopeo")]
    public async Task Containerd_asks_the_mirror_with_ns()
    {
        var hosts = _work.Folder("certs.d");
        _work.Folder("certs.d/docker.io");
        _work.Write("certs.d/docker.io/hosts.toml", $"""
            server = "http://{Host}"

            [host."http://{Host}"]
              capabilities = ["pull", "resolve"]
            """);

        await containerd.CtrAsync("images", "pull", "--hosts-dir", hosts, "--snapshotter", "native", Image);
        await _hub!.StopAsync();
        await containerd.CtrAsync("images", "rm", "--sync", Image);
        await containerd.CtrAsync("images", "pull", "--hosts-dir", hosts, "--snapshotter", "native", Image);
    }

    [ClientFact("podman", "skopeo")]
    public async Task Podman_and_skopeo_ask_the_mirror_by_path()
    {
        var registries = _work.Write("registries.conf", $"""
            [[registry]]
            prefix = "docker.io"
            location = "docker.io"

            [[registry.mirror]]
            location = "{Host}/hub"
            insecure = true
            """);

        await _work.RunAsync("podman", "pull", Image);
        await _work.RunAsync("skopeo", "--registries-conf", registries, "copy", $"docker://{Image}", $"oci:{_work.Path("back")}:v1");
    }

    [ClientFact("docker", "dockerd", "skopeo")]
    public async Task Docker_asks_the_mirror_under_a_host_name_of_its_own()
    {
        // Under the name that stands for the proxy alone; other names of the same server lead to other registries.
        var daemon = new DockerDaemon("--registry-mirror", $"http://localhost:{_mirror!.Address.Port}");
        await daemon.InitializeAsync();
        try
        {
            await daemon.DockerAsync("pull", "mirrored:v1");
            await _hub!.StopAsync();
            await daemon.DockerAsync("rmi", "mirrored:v1");
            await daemon.DockerAsync("pull", "mirrored:v1");
        }
        finally
        {
            await daemon.DisposeAsync();
        }
    }
}
