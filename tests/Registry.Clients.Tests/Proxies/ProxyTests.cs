using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Proxies;

/// <summary>Real clients pull through a proxy of a real registry, which is gone afterwards.</summary>
public sealed class ProxyTests : IAsyncLifetime
{
    private readonly ClientWorkspace _work = new();
    private readonly WorkFolder _data = new("proxy");
    private DistributionProcess? _upstream;
    private RegistryProcess? _registry;
    private LayoutEntry? _image;

    private string Host => _registry!.Host;

    public async Task InitializeAsync()
    {
        if (Programs.ReasonToSkip("docker-registry", "htpasswd", "skopeo") is not null)
            return;
        _upstream = await DistributionProcess.StartAsync("puller", "upstream-secret");
        _registry = await RegistryProcess.StartAsync(
            _data.Path,
            settings: new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Registry:Access:Anonymous"] = "Push",
                ["Registry:Registries:hub:Kind"] = "Proxy",
                ["Registry:Registries:hub:Path"] = "hub",
                ["Registry:Registries:hub:Upstream"] = $"http://{_upstream.Host}",
                ["Registry:Registries:hub:Username"] = "puller",
                ["Registry:Registries:hub:Password"] = "upstream-secret",
                ["Registry:Registries:hub:TagTtl"] = "00:00:00",
                ["Registry:Registries:all:Kind"] = "Group",
                ["Registry:Registries:all:Path"] = "all",
                ["Registry:Registries:all:Members:0"] = "default",
                ["Registry:Registries:all:Members:1"] = "hub",
                ["Registry:Registries:all:PushTo"] = "default",
            });
        var folder = _work.Folder("layout");
        var layout = new ImageLayout(folder);
        var (amd, arm) = (layout.AddImage("one", "amd64", 300_000, 5_000), layout.AddImage(null, "arm64", 60_000));
        layout.AddIndex("all", ("amd64", amd), ("arm64", arm));
        _image = amd;
        foreach (var tag in new[] { "one", "all" })
        {
            await _work.RunAsync(
                "skopeo", "copy", "--all", "--dest-tls-verify=false", "--dest-creds", "puller:upstream-secret",
                $"oci:{folder}:{tag}", $"docker://{_upstream.Host}/team/app:{tag}");
        }
    }

    public async Task DisposeAsync()
    {
        if (_registry is not null)
            await _registry.DisposeAsync();
        if (_upstream is not null)
            await _upstream.DisposeAsync();
        _work.Dispose();
        _data.Dispose();
    }

    [ClientFact("docker-registry", "htpasswd", "skopeo", "podman", "oras")]
    public async Task What_was_pulled_is_pulled_again_when_the_upstream_is_gone()
    {
        await PullAsync("first");
        await _upstream!.StopAsync();
        await PullAsync("again");
    }

    [ClientFact("docker-registry", "htpasswd", "skopeo", "podman")]
    public async Task A_push_is_refused_with_the_reason()
    {
        var target = $"{Host}/hub/team/app:two";
        var skopeo = await _work.TryRunAsync(
            "skopeo", "copy", "--dest-tls-verify=false", $"oci:{_work.Path("layout")}:one", $"docker://{target}");
        Assert.False(skopeo.Succeeded);
        Assert.Contains("caches another registry and takes no pushes", skopeo.Error, StringComparison.Ordinal);

        await _work.RunAsync("podman", "pull", "--tls-verify=false", $"{Host}/hub/team/app:one");
        var podman = await _work.TryRunAsync(
            "podman", "push", "--tls-verify=false", $"{Host}/hub/team/app:one", target);
        Assert.False(podman.Succeeded);
        Assert.Contains("caches another registry and takes no pushes", podman.Error, StringComparison.Ordinal);
    }

    [ClientFact("docker-registry", "htpasswd", "skopeo", "podman")]
    public async Task A_group_takes_what_is_pushed_and_shows_what_the_upstream_has()
    {
        await _work.RunAsync("podman", "pull", "--tls-verify=false", $"{Host}/all/team/app:one");
        await _work.RunAsync("podman", "tag", $"{Host}/all/team/app:one", $"{Host}/all/ours/app:two");
        await _work.RunAsync("podman", "push", "--tls-verify=false", $"{Host}/all/ours/app:two");
        await _work.RunAsync("podman", "rmi", "--all", "--force");

        foreach (var name in new[] { "all/ours/app:two", "ours/app:two", "all/team/app:one" })
            await _work.RunAsync("podman", "pull", "--tls-verify=false", $"{Host}/{name}");
    }

    private async Task PullAsync(string folder)
    {
        var name = $"{Host}/hub/team/app";
        await _work.RunAsync(
            "skopeo", "copy", "--all", "--src-tls-verify=false", $"docker://{name}:all", $"oci:{_work.Path($"{folder}-skopeo")}:all");
        await _work.RunAsync("podman", "pull", "--tls-verify=false", $"{name}:one");
        await _work.RunAsync("podman", "pull", "--tls-verify=false", $"{name}@{_image!.Digest}");
        await _work.RunAsync("podman", "rmi", "--all", "--force");
        await _work.RunAsync("oras", "pull", "--plain-http", "--output", _work.Folder($"{folder}-oras"), $"{name}:one");
    }
}
