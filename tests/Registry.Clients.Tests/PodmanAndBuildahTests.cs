using System.Security.Cryptography;
using System.Text.Json;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

[Collection(nameof(RunningRegistry))]
public sealed class PodmanAndBuildahTests(RunningRegistry registry) : IDisposable
{
    private readonly ClientWorkspace _work = new();

    public void Dispose() => _work.Dispose();

    [ClientFact("podman", "buildah")]
    public async Task Podman_pulls_the_image_that_it_pushed()
    {
        var name = Name("one");
        await BuildAsync(name, 400_000);
        var id = await PodmanIdAsync(name);

        await _work.RunAsync("podman", "push", "--tls-verify=false", name);
        await _work.RunAsync("podman", "rmi", "--force", name);
        await _work.RunAsync("podman", "pull", "--tls-verify=false", name);

        Assert.Equal(id, await PodmanIdAsync(name));
    }

    [ClientFact("podman", "buildah")]
    public async Task Podman_pulls_by_digest()
    {
        var repository = registry.NewRepository("podman");
        var name = $"{registry.Host}/{repository}:one";
        await BuildAsync(name, 100_000);
        var id = await PodmanIdAsync(name);
        await _work.RunAsync("podman", "push", "--tls-verify=false", name);
        var byDigest = $"{registry.Host}/{repository}@{await registry.DigestOfAsync(repository, "one")}";

        await _work.RunAsync("podman", "rmi", "--force", name);
        await _work.RunAsync("podman", "pull", "--tls-verify=false", byDigest);

        Assert.Equal(id, await PodmanIdAsync(byDigest));
    }

    [ClientFact("podman", "buildah")]
    public async Task Podman_pushes_docker_schema_2()
    {
        var name = Name("s2");
        await BuildAsync(name, 100_000);

        await _work.RunAsync("podman", "push", "--format", "v2s2", "--tls-verify=false", name);
        await _work.RunAsync("podman", "rmi", "--force", name);
        await _work.RunAsync("podman", "pull", "--tls-verify=false", name);
    }

    [ClientFact("buildah")]
    public async Task Buildah_pulls_the_image_that_it_pushed()
    {
        var name = Name("one");
        await BuildAsync(name, 400_000);
        var id = await BuildahIdAsync(name);

        await _work.RunAsync("buildah", "push", "--tls-verify=false", name);
        await _work.RunAsync("buildah", "rmi", "--force", name);
        await _work.RunAsync("buildah", "pull", "--tls-verify=false", name);

        Assert.Equal(id, await BuildahIdAsync(name));
    }

    [ClientFact("buildah", "podman", "skopeo")]
    public async Task An_index_pushed_by_buildah_holds_its_images_and_can_be_pulled()
    {
        var (amd, arm, all) = (Name("amd"), Name("arm"), Name("all"));
        foreach (var (name, architecture) in (ValueTuple<string, string>[])[(amd, "amd64"), (arm, "arm64")])
            await BuildAsync(name, 50_000, architecture);
        await _work.RunAsync("buildah", "manifest", "create", "list");
        foreach (var name in (string[])[amd, arm])
            await _work.RunAsync("buildah", "manifest", "add", "list", $"containers-storage:{name}");

        await _work.RunAsync("buildah", "manifest", "push", "--all", "--tls-verify=false", "list", $"docker://{all}");

        var raw = await _work.RunAsync("skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{all}");
        var manifests = JsonDocument.Parse(raw).RootElement.GetProperty("manifests").EnumerateArray();
        Assert.Equal(
            ["amd64", "arm64"],
            manifests.Select(m => m.GetProperty("platform").GetProperty("architecture").GetString()).Order());
        await _work.RunAsync("podman", "pull", "--tls-verify=false", "--arch", "arm64", all);
        var pulled = await _work.RunAsync("podman", "image", "inspect", "--format", "{{.Architecture}}", all);
        Assert.Equal("arm64", pulled.Trim());
    }

    [ClientFact("podman", "buildah")]
    public async Task Podman_search_lists_a_pushed_repository_and_its_tags()
    {
        var repository = registry.NewRepository("podman");
        var name = $"{registry.Host}/{repository}:one";
        await BuildAsync(name, 10_000);
        await _work.RunAsync("podman", "push", "--tls-verify=false", name);

        var found = await _work.RunAsync(
            "podman", "search", "--tls-verify=false", "--format", "{{.Name}}", $"{registry.Host}/{repository}");
        var tags = await _work.RunAsync(
            "podman", "search", "--tls-verify=false", "--list-tags", $"{registry.Host}/{repository}");

        Assert.Contains($"{registry.Host}/{repository}", found, StringComparison.Ordinal);
        Assert.Equal("one", tags.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)[^1]);
    }

    [ClientFact("podman", "buildah")]
    public async Task Eight_podman_pushes_at_once_all_succeed()
    {
        var name = Name("v0");
        await BuildAsync(name, 1_000_000);
        var repository = registry.NewRepository("podman");

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => _work.RunAsync(
            "podman", "push", "--tls-verify=false", name, $"docker://{registry.Host}/{repository}:v{i}")));

        var digests = new HashSet<string?>(StringComparer.Ordinal);
        for (var i = 0; i < 8; i++)
            digests.Add(await registry.DigestOfAsync(repository, $"v{i}"));
        Assert.NotNull(Assert.Single(digests));
        await _work.RunAsync("podman", "pull", "--tls-verify=false", $"{registry.Host}/{repository}:v7");
    }

    private string Name(string tag) => $"{registry.Host}/{registry.NewRepository("podman")}:{tag}";

    /// <summary>An image from nothing: one layer with one random file.</summary>
    private async Task BuildAsync(string name, int bytes, string architecture = "amd64")
    {
        await File.WriteAllBytesAsync(_work.Path("data.bin"), RandomNumberGenerator.GetBytes(bytes));
        var container = (await _work.RunAsync("buildah", "from", "--arch", architecture, "scratch")).Trim();
        await _work.RunAsync("buildah", "add", container, "data.bin", "/data.bin");
        await _work.RunAsync("buildah", "config", "--arch", architecture, "--cmd", "/data.bin", container);
        await _work.RunAsync("buildah", "commit", "--rm", container, name);
    }

    private async Task<string> PodmanIdAsync(string name)
        => (await _work.RunAsync("podman", "image", "inspect", "--format", "{{.Id}}", name)).Trim();

    private async Task<string> BuildahIdAsync(string name)
        => (await _work.RunAsync("buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", name)).Trim();
}
