using System.Text;
using System.Text.Json;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

[Collection(nameof(RunningRegistry))]
public sealed class SkopeoTests(RunningRegistry registry) : IDisposable
{
    private readonly ClientWorkspace _work = new();

    public void Dispose() => _work.Dispose();

    [ClientFact("skopeo")]
    public async Task Skopeo_copies_an_image_from_a_layout_and_back_unchanged()
    {
        var image = Layout().AddImage("one", "amd64", 300_000, 1_000);
        var name = Reference("one");

        await PushAsync("one", name);
        await _work.RunAsync("skopeo", "copy", "--src-tls-verify=false", name, $"oci:{_work.Path("back")}:one");

        Assert.Equal(image.Bytes, await File.ReadAllBytesAsync(_work.Path($"back/blobs/{image.Digest.Replace(':', '/')}")));
        Assert.Equal(BlobNames("layout"), BlobNames("back"));
    }

    [ClientFact("skopeo", "umoci")]
    public async Task Skopeo_copies_an_image_that_umoci_made()
    {
        var layout = _work.Path("umoci");
        var file = _work.Write("hello.txt", "hello");
        await _work.RunAsync("umoci", "init", "--layout", layout);
        await _work.RunAsync("umoci", "new", "--image", $"{layout}:one");
        await _work.RunAsync("umoci", "insert", "--image", $"{layout}:one", file, "/hello.txt");
        var name = Reference("one");

        await _work.RunAsync("skopeo", "copy", "--dest-tls-verify=false", $"oci:{layout}:one", name);
        await _work.RunAsync("skopeo", "copy", "--src-tls-verify=false", name, $"oci:{_work.Path("back")}:one");
        await _work.RunAsync("umoci", "raw", "unpack", "--image", $"{_work.Path("back")}:one", _work.Path("rootfs"));

        Assert.Equal("hello", await File.ReadAllTextAsync(_work.Path("rootfs/hello.txt")));
    }

    [ClientFact("skopeo")]
    public async Task Skopeo_copies_between_two_repositories_by_mounting_the_blobs()
    {
        var image = Layout().AddImage("one", "amd64", 300_000);
        var (first, second) = (Reference("one"), Reference("copy"));
        await PushAsync("one", first);

        await _work.RunAsync(
            "skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", first, second);
        await _work.RunAsync("skopeo", "copy", "--src-tls-verify=false", second, $"oci:{_work.Path("back")}:one");

        Assert.Equal(image.Digest, await InspectAsync(second, "{{.Digest}}"));
        Assert.Equal(BlobNames("layout"), BlobNames("back"));
    }

    [ClientFact("skopeo")]
    public async Task Skopeo_copies_an_index_with_all_its_images_byte_for_byte()
    {
        var layout = Layout();
        var amd = layout.AddImage(null, "amd64", 50_000);
        var arm = layout.AddImage(null, "arm64", 60_000);
        var index = layout.AddIndex("all", ("amd64", amd), ("arm64", arm));
        var name = Reference("all");

        await _work.RunAsync(
            "skopeo", "copy", "--all", "--dest-tls-verify=false", $"oci:{_work.Path("layout")}:all", name);

        Assert.Equal(Encoding.UTF8.GetString(index.Bytes), await RawAsync(name));
        foreach (var image in (LayoutEntry[])[amd, arm])
            Assert.Equal(Encoding.UTF8.GetString(image.Bytes), await RawAsync($"{WithoutTag(name)}@{image.Digest}"));
        await _work.RunAsync(
            "skopeo", "copy", "--all", "--src-tls-verify=false", name, $"oci:{_work.Path("back")}:all");
        Assert.Equal(BlobNames("layout"), BlobNames("back"));
    }

    [ClientFact("skopeo")]
    public async Task Skopeo_inspect_shows_digest_layers_and_tags()
    {
        var image = Layout().AddImage("one", "amd64", 10_000, 20_000);
        var name = Reference("one");
        await PushAsync("one", name);

        var shown = JsonDocument.Parse(
            await _work.RunAsync("skopeo", "inspect", "--tls-verify=false", name)).RootElement;

        Assert.Equal(image.Digest, shown.GetProperty("Digest").GetString());
        Assert.Equal(2, shown.GetProperty("Layers").GetArrayLength());
        Assert.Equal(["one"], Strings(shown.GetProperty("RepoTags")));
    }

    [ClientFact("skopeo")]
    public async Task Skopeo_lists_the_tags_of_a_repository_in_order()
    {
        Layout().AddImage("one", "amd64", 10_000);
        var name = WithoutTag(Reference("x"));
        foreach (var tag in (string[])["v2", "latest", "v10", "v1"])
            await PushAsync("one", $"{name}:{tag}");

        Assert.Equal(["latest", "v1", "v10", "v2"], await TagsAsync(name));
    }

    [ClientFact("skopeo")]
    public async Task Skopeo_deletes_an_image_and_its_tag_is_gone()
    {
        var layout = Layout();
        layout.AddImage("keep", "amd64", 10_000);
        layout.AddImage("drop", "amd64", 10_000);
        var name = WithoutTag(Reference("x"));
        await PushAsync("keep", $"{name}:keep");
        await PushAsync("drop", $"{name}:drop");

        await _work.RunAsync("skopeo", "delete", "--tls-verify=false", $"{name}:drop");

        var inspected = await _work.TryRunAsync("skopeo", "inspect", "--tls-verify=false", $"{name}:drop");
        Assert.NotEqual(0, inspected.ExitCode);
        Assert.Contains("manifest unknown", inspected.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["keep"], await TagsAsync(name));
    }

    [ClientFact("skopeo")]
    public async Task Skopeo_pushes_docker_schema_2_and_reads_it_back()
    {
        Layout().AddImage("one", "amd64", 10_000);
        var name = Reference("s2");

        await _work.RunAsync(
            "skopeo", "copy", "--format", "v2s2", "--dest-tls-verify=false", $"oci:{_work.Path("layout")}:one", name);

        var manifest = JsonDocument.Parse(await RawAsync(name)).RootElement;
        Assert.Equal(
            "application/vnd.docker.distribution.manifest.v2+json", manifest.GetProperty("mediaType").GetString());
        await _work.RunAsync("skopeo", "copy", "--src-tls-verify=false", name, $"dir:{_work.Folder("dir")}");
    }

    [ClientFact("skopeo")]
    public async Task Skopeo_says_plainly_that_an_image_does_not_exist()
    {
        var inspected = await _work.TryRunAsync("skopeo", "inspect", "--tls-verify=false", Reference("none"));

        Assert.NotEqual(0, inspected.ExitCode);
        Assert.Matches("(?i)manifest unknown|name unknown", inspected.Error);
    }

    private ImageLayout Layout() => new(_work.Folder("layout"));

    private string Reference(string tag) => $"docker://{registry.Host}/{registry.NewRepository("skopeo")}:{tag}";

    private static string WithoutTag(string name) => name[..name.LastIndexOf(':')];

    private Task PushAsync(string tag, string name)
        => _work.RunAsync("skopeo", "copy", "--dest-tls-verify=false", $"oci:{_work.Path("layout")}:{tag}", name);

    private Task<string> RawAsync(string name)
        => _work.RunAsync("skopeo", "inspect", "--raw", "--tls-verify=false", name);

    private async Task<string> InspectAsync(string name, string format)
        => (await _work.RunAsync("skopeo", "inspect", "--tls-verify=false", "--format", format, name)).Trim();

    private async Task<string[]> TagsAsync(string name)
    {
        var json = await _work.RunAsync("skopeo", "list-tags", "--tls-verify=false", name);
        return Strings(JsonDocument.Parse(json).RootElement.GetProperty("Tags"));
    }

    private string[] BlobNames(string layout)
        => [.. Directory.EnumerateFiles(_work.Path($"{layout}/blobs/sha256")).Select(f => Path.GetFileName(f)).Order()];

    private static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetString()!)];
}
