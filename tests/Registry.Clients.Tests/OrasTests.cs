using System.Text.Json;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

[Collection(nameof(RunningRegistry))]
public sealed class OrasTests : IDisposable
{
    private const string ArtifactType = "application/vnd.example.report";
    private const string SbomType = "application/vnd.example.sbom";

    private readonly RunningRegistry _registry;
    private readonly ClientWorkspace _work = new();
    private readonly string _name;
    private readonly string _repository;

    public OrasTests(RunningRegistry registry)
    {
        _registry = registry;
        _name = registry.NewRepository("oras");
        _repository = $"{registry.Host}/{_name}";
    }

    public void Dispose() => _work.Dispose();

    [ClientFact("oras")]
    public async Task Oras_pulls_the_files_that_it_pushed()
    {
        await PushAsync("v1");

        await OrasAsync("pull", $"{_repository}:v1", "-o", _work.Folder("pulled"));

        Assert.Equal("first", await File.ReadAllTextAsync(_work.Path("pulled/a.txt")));
        Assert.Equal("second", await File.ReadAllTextAsync(_work.Path("pulled/b.txt")));
    }

    [ClientFact("oras")]
    public async Task Oras_discovers_what_it_attached_as_a_tree_and_as_json()
    {
        await PushAsync("v1");
        await AttachAsync("v1");

        var tree = await OrasAsync("discover", $"{_repository}:v1", "--format", "tree");
        var json = await OrasAsync("discover", $"{_repository}:v1", "--format", "json");

        Assert.Contains(SbomType, tree, StringComparison.Ordinal);
        var referrer = Assert.Single(JsonDocument.Parse(json).RootElement.GetProperty("manifests").EnumerateArray());
        Assert.Equal(SbomType, referrer.GetProperty("artifactType").GetString());
        Assert.Contains(referrer.GetProperty("digest").GetString()!, tree, StringComparison.Ordinal);
    }

    [ClientFact("oras")]
    public async Task Oras_discovers_only_the_artifact_type_it_asks_for()
    {
        await PushAsync("v1");
        await AttachAsync("v1");

        var wanted = await OrasAsync(
            "discover", $"{_repository}:v1", "--format", "json", "--artifact-type", SbomType);
        var other = await OrasAsync(
            "discover", $"{_repository}:v1", "--format", "json", "--artifact-type", "application/vnd.example.other");

        Assert.Equal(1, JsonDocument.Parse(wanted).RootElement.GetProperty("manifests").GetArrayLength());
        Assert.DoesNotContain(SbomType, other, StringComparison.Ordinal);
    }

    [ClientFact("oras")]
    public async Task Oras_attaches_through_the_referrers_api_and_leaves_no_fallback_tag()
    {
        await PushAsync("v1");
        await AttachAsync("v1");

        Assert.Equal("v1", (await OrasAsync("repo", "tags", _repository)).Trim());
    }

    [ClientFact("oras")]
    public async Task Oras_lists_tags_and_repositories()
    {
        await PushAsync("v1");
        await OrasAsync("tag", $"{_repository}:v1", "v2", "stable");

        Assert.Equal(["stable", "v1", "v2"], Lines(await OrasAsync("repo", "tags", _repository)));
        Assert.Contains(_name, Lines(await OrasAsync("repo", "ls", _registry.Host)));
    }

    [ClientFact("oras")]
    public async Task Oras_copies_an_artifact_with_its_referrers_to_another_repository()
    {
        await PushAsync("v1");
        await AttachAsync("v1");
        var target = $"{_registry.Host}/{_registry.NewRepository("oras")}";

        await _work.RunAsync(
            "oras", "cp", "-r", "--from-plain-http", "--to-plain-http", $"{_repository}:v1", $"{target}:copied");

        var json = await OrasAsync("discover", $"{target}:copied", "--format", "json");
        Assert.Contains(SbomType, json, StringComparison.Ordinal);
        await OrasAsync("pull", $"{target}:copied", "-o", _work.Folder("pulled"));
        Assert.Equal("first", await File.ReadAllTextAsync(_work.Path("pulled/a.txt")));
    }

    [ClientFact("oras")]
    public async Task Oras_fetches_a_manifest_by_tag_and_by_digest()
    {
        await PushAsync("v1");

        var byTag = await OrasAsync("manifest", "fetch", $"{_repository}:v1");
        var digest = await _registry.DigestOfAsync(_name, "v1");
        var byDigest = await OrasAsync("manifest", "fetch", $"{_repository}@{digest}");

        Assert.Equal(byTag, byDigest);
        Assert.Equal(ArtifactType, JsonDocument.Parse(byTag).RootElement.GetProperty("artifactType").GetString());
    }

    [ClientFact("oras")]
    public async Task Oras_pushes_fetches_and_deletes_a_blob()
    {
        var file = _work.Write("blob.txt", "a blob of its own");
        var digest = ImageLayout.DigestOf("a blob of its own"u8);
        await OrasAsync("blob", "push", _repository, file);

        await OrasAsync("blob", "fetch", "--output", _work.Path("fetched"), $"{_repository}@{digest}");
        await OrasAsync("blob", "delete", "--force", $"{_repository}@{digest}");

        Assert.Equal("a blob of its own", await File.ReadAllTextAsync(_work.Path("fetched")));
        var again = await _work.TryRunAsync(
            "oras", "blob", "fetch", "--plain-http", "--output", _work.Path("gone"), $"{_repository}@{digest}");
        Assert.NotEqual(0, again.ExitCode);
        Assert.Contains("not found", again.Error, StringComparison.OrdinalIgnoreCase);
    }

    [ClientFact("oras")]
    public async Task Oras_pushes_and_fetches_an_empty_blob()
    {
        var digest = ImageLayout.DigestOf([]);
        await OrasAsync("blob", "push", _repository, _work.Write("empty", ""));

        await OrasAsync("blob", "fetch", "--output", _work.Path("fetched"), $"{_repository}@{digest}");

        Assert.Equal(0, new FileInfo(_work.Path("fetched")).Length);
    }

    [ClientFact("oras")]
    public async Task Oras_deletes_a_manifest_and_its_tags()
    {
        await PushAsync("v1");

        await OrasAsync("manifest", "delete", "--force", $"{_repository}:v1");

        var fetched = await _work.TryRunAsync("oras", "manifest", "fetch", "--plain-http", $"{_repository}:v1");
        Assert.NotEqual(0, fetched.ExitCode);
        Assert.Contains("not found", fetched.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Null(await _registry.DigestOfAsync(_name, "v1"));
    }

    private async Task PushAsync(string tag)
    {
        _work.Write("a.txt", "first");
        _work.Write("b.txt", "second");
        await OrasAsync(
            "push", $"{_repository}:{tag}", "--artifact-type", ArtifactType, "a.txt:text/plain", "b.txt:text/plain");
    }

    private async Task AttachAsync(string tag)
    {
        _work.Write("sbom.json", "{}");
        await OrasAsync(
            "attach", $"{_repository}:{tag}", "--artifact-type", SbomType, "sbom.json:application/json");
    }

    // The subcommand comes first, then its options.
    private Task<string> OrasAsync(params string[] arguments) => _work.RunAsync("oras", [.. arguments, "--plain-http"]);

    private static string[] Lines(string text)
        => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
