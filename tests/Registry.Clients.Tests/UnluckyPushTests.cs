using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

/// <summary>What pipelines do to a registry: clients that die in mid-push, and many that push the same image.</summary>
[Collection(nameof(RunningRegistry))]
public sealed class UnluckyPushTests(RunningRegistry registry) : IDisposable
{
    private const int LargeLayerBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ClientWorkspace _work = new();

    public void Dispose() => _work.Dispose();

    [ClientFact("skopeo")]
    public async Task A_skopeo_push_killed_in_its_middle_succeeds_when_pushed_again()
    {
        var image = new ImageLayout(_work.Folder("layout")).AddImage("one", "amd64", LargeLayerBytes, 10_000);
        var repository = registry.NewRepository("cut");
        var source = $"oci:{_work.Path("layout")}:one";

        await KillInMiddleAsync(
            host => _work.Start(
                "skopeo", "copy", "--dest-tls-verify=false", source, $"docker://{host}/{repository}:one"));
        Assert.Null(await registry.DigestOfAsync(repository, "one"));
        await _work.RunAsync(
            "skopeo", "copy", "--dest-tls-verify=false", source, $"docker://{registry.Host}/{repository}:one");

        Assert.Equal(image.Digest, await registry.DigestOfAsync(repository, "one"));
        await AssertPullsUnchangedAsync($"docker://{registry.Host}/{repository}:one");
    }

    [ClientFact("podman", "skopeo")]
    public async Task A_podman_push_killed_in_its_middle_succeeds_when_pushed_again()
    {
        new ImageLayout(_work.Folder("layout")).AddImage("one", "amd64", LargeLayerBytes, 10_000);
        var repository = registry.NewRepository("cut");
        await _work.RunAsync(
            "skopeo", "copy", $"oci:{_work.Path("layout")}:one", "containers-storage:localhost/cut:one");
        var image = (await _work.RunAsync("podman", "images", "--quiet", "--no-trunc")).Trim();

        await KillInMiddleAsync(
            host => _work.Start("podman", "push", "--tls-verify=false", image, $"docker://{host}/{repository}:one"));
        Assert.Null(await registry.DigestOfAsync(repository, "one"));
        var name = $"{registry.Host}/{repository}:one";
        await _work.RunAsync("podman", "push", "--tls-verify=false", image, $"docker://{name}");

        await _work.RunAsync("podman", "rmi", "--force", image);
        await _work.RunAsync("podman", "pull", "--tls-verify=false", name);
        var pulled = (await _work.RunAsync("podman", "images", "--quiet", "--no-trunc")).Trim();
        Assert.Equal(image, pulled);
    }

    [ClientFact("skopeo")]
    public async Task Eight_skopeo_pushes_of_one_image_at_once_all_succeed()
    {
        var image = new ImageLayout(_work.Folder("layout"))
            .AddImage("one", "amd64", 2_000_000, 500_000, 10_000, 1_000);
        var repository = registry.NewRepository("crowd");

        var pushes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _work.TryRunAsync(
            "skopeo", "copy", "--dest-tls-verify=false", $"oci:{_work.Path("layout")}:one",
            $"docker://{registry.Host}/{repository}:one")));

        Assert.All(pushes, push => Assert.True(push.Succeeded, push.Error));
        Assert.Equal(image.Digest, await registry.DigestOfAsync(repository, "one"));
        await AssertPullsUnchangedAsync($"docker://{registry.Host}/{repository}:one");
    }

    [ClientFact("skopeo")]
    public async Task Eight_pushes_of_one_image_to_eight_repositories_at_once_all_succeed()
    {
        var image = new ImageLayout(_work.Folder("layout")).AddImage("one", "amd64", 2_000_000, 10_000);
        var repositories = Enumerable.Range(0, 8).Select(_ => registry.NewRepository("crowd")).ToArray();

        var pushes = await Task.WhenAll(repositories.Select(repository => _work.TryRunAsync(
            "skopeo", "copy", "--dest-tls-verify=false", $"oci:{_work.Path("layout")}:one",
            $"docker://{registry.Host}/{repository}:one")));

        Assert.All(pushes, push => Assert.True(push.Succeeded, push.Error));
        foreach (var repository in repositories)
            Assert.Equal(image.Digest, await registry.DigestOfAsync(repository, "one"));
        await AssertPullsUnchangedAsync($"docker://{registry.Host}/{repositories[^1]}:one");
    }

    /// <summary>Lets a third of the large layer through, then kills the client with SIGKILL.</summary>
    private async Task KillInMiddleAsync(Func<string, ChildProcess> startPush)
    {
        await using var proxy = new StallingProxy(registry.Address, LargeLayerBytes / 3);
        await using var push = startPush(proxy.Host);
        var first = await Task.WhenAny(proxy.Stalled, Task.Delay(Patience));
        Assert.True(first == proxy.Stalled, $"The push never reached its middle.\n{push.Output}\n{push.Error}");
        Assert.False(push.HasExited, "The client ended before it was killed.");
        push.KillAbruptly();
    }

    private async Task AssertPullsUnchangedAsync(string name)
    {
        await _work.RunAsync("skopeo", "copy", "--src-tls-verify=false", name, $"oci:{_work.Path("back")}:one");
        var pushed = Directory.EnumerateFiles(_work.Path("layout/blobs/sha256"));
        foreach (var file in pushed)
        {
            var pulled = _work.Path($"back/blobs/sha256/{Path.GetFileName(file)}");
            var (before, after) = (await File.ReadAllBytesAsync(file), await File.ReadAllBytesAsync(pulled));
            Assert.True(before.AsSpan().SequenceEqual(after), $"{pulled} is not what was pushed.");
        }
    }
}
