using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

/// <summary>containerd without Docker: the client of Kubernetes nodes. It never asks for /v2/ first.</summary>
[Collection(nameof(RunningRegistry))]
public sealed class ContainerdTests(RunningRegistry registry, ContainerdTests.Daemon containerd)
    : IClassFixture<ContainerdTests.Daemon>
{
    [ClientFact("containerd", "ctr", "skopeo")]
    public async Task Ctr_pulls_an_image_and_pushes_it_to_another_repository()
    {
        var layout = containerd.Work.Folder("layout");
        var image = new ImageLayout(layout).AddImage("one", "amd64", 300_000, 5_000);
        var (first, second) = (registry.NewRepository("ctr"), registry.NewRepository("ctr"));
        await containerd.Work.RunAsync(
            "skopeo", "copy", "--dest-tls-verify=false", $"oci:{layout}:one", $"docker://{registry.Host}/{first}:one");

        await containerd.CtrAsync(
            "images", "pull", "--plain-http", "--snapshotter", "native", $"{registry.Host}/{first}:one");
        await containerd.CtrAsync("images", "tag", $"{registry.Host}/{first}:one", $"{registry.Host}/{second}:two");
        await containerd.CtrAsync("images", "push", "--plain-http", $"{registry.Host}/{second}:two");

        Assert.Equal(image.Digest, await registry.DigestOfAsync(second, "two"));
        await containerd.Work.RunAsync(
            "skopeo", "copy", "--src-tls-verify=false", $"docker://{registry.Host}/{second}:two",
            $"oci:{containerd.Work.Path("back")}:two");
    }

    [ClientFact("containerd", "ctr", "skopeo")]
    public async Task Ctr_pulls_an_index_with_all_its_platforms()
    {
        var folder = containerd.Work.Folder("layout-all");
        var layout = new ImageLayout(folder);
        var (amd, arm) = (layout.AddImage(null, "amd64", 50_000), layout.AddImage(null, "arm64", 60_000));
        var index = layout.AddIndex("all", ("amd64", amd), ("arm64", arm));
        var name = $"{registry.Host}/{registry.NewRepository("ctr")}:all";
        await containerd.Work.RunAsync(
            "skopeo", "copy", "--all", "--dest-tls-verify=false", $"oci:{folder}:all", $"docker://{name}");

        await containerd.CtrAsync("content", "fetch", "--plain-http", "--all-platforms", name);

        var content = await containerd.CtrAsync("content", "ls", "--quiet");
        foreach (var entry in (LayoutEntry[])[index, amd, arm])
            Assert.Contains(entry.Digest, content, StringComparison.Ordinal);
    }

    public sealed class Daemon : IAsyncLifetime
    {
        private ChildProcess? _daemon;

        public ClientWorkspace Work { get; } = new();

        public async Task InitializeAsync()
        {
            if (Programs.ReasonToSkip("containerd", "ctr") is not null)
                return;

            Work.Write("containerd.toml", $"""
                version = 2
                root = "{Work.Folder("root")}"
                state = "{Work.Folder("state")}"
                disabled_plugins = ["io.containerd.grpc.v1.cri"]
                [grpc]
                  address = "{Socket}"
                """);
            _daemon = Work.Start("containerd", "--config", "containerd.toml");
            for (var attempt = 0; attempt < 100 && !_daemon.HasExited; attempt++)
            {
                if (File.Exists(Socket) && (await Work.TryRunAsync("ctr", "--address", Socket, "version")).Succeeded)
                    return;
                await Task.Delay(200);
            }

            throw new InvalidOperationException($"containerd does not run here.\n{_daemon.Error}");
        }

        public async Task DisposeAsync()
        {
            if (_daemon is not null)
            {
                await _daemon.StopAsync(TimeSpan.FromSeconds(20));
                await _daemon.DisposeAsync();
            }

            Work.Dispose();
        }

        public async Task<string> CtrAsync(params string[] arguments) => (await TryCtrAsync(arguments)).OutputOrThrow();

        /// <summary>Of a command that may fail.</summary>
        public Task<CommandResult> TryCtrAsync(params string[] arguments)
            => Work.TryRunAsync("ctr", ["--address", Socket, .. arguments]);

        private string Socket => Work.Path("c.sock");
    }
}
