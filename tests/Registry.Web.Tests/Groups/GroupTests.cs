namespace Registry.Web.Tests.Groups;

/// <summary>Two hosted registries under one name: what is pulled, listed and pushed there.</summary>
public sealed class GroupTests(GroupTests.Instance instance) : IClassFixture<GroupTests.Instance>
{
    public sealed class Instance : IAsyncLifetime
    {
        public RegistryClient Client => Registry!.Client;

        private RegistryFactory? Registry { get; set; }

        public async Task InitializeAsync()
            => Registry = await RegistryFactory.StartAsync(
                ("Registries:dev:Path", "dev"),
                ("Registries:prod:Path", "prod"),
                ("Registries:all:Kind", "Group"),
                ("Registries:all:Path", "all"),
                ("Registries:all:Hosts:0", "all.example"),
                ("Registries:all:Members:0", "dev"),
                ("Registries:all:Members:1", "prod"),
                ("Registries:all:PushTo", "prod"),
                ("Registries:fixed:Kind", "Group"),
                ("Registries:fixed:Path", "fixed"),
                ("Registries:fixed:Members:0", "all"));

        public Task DisposeAsync() => Registry!.DisposeAsync();
    }

    private readonly RegistryClient _client = instance.Client;
    private readonly string _name = $"x{Guid.NewGuid():N}";

    [Fact(DisplayName = "The first member that has a tag counts, and the others are behind it")]
    public async Task First_hit()
    {
        var ours = await _client.PushImageAsync($"dev/{_name}", "v1");
        var theirs = await _client.PushImageAsync($"prod/{_name}", "v1");
        var other = await _client.PushImageAsync($"prod/{_name}", "v2");

        await ExpectManifestAsync($"all/{_name}", "v1", ours);
        await ExpectManifestAsync($"all/{_name}", "v2", other);
        await ExpectManifestAsync($"all/{_name}", theirs.Digest, theirs);
        (await _client.GetAsync($"/v2/all/{_name}/manifests/v3")).ExpectError(404, "MANIFEST_UNKNOWN");
        (await _client.GetAsync($"/v2/all/{_name}-none/tags/list")).ExpectError(404, "NAME_UNKNOWN");
    }

    [Fact(DisplayName = "Blobs of every member are there, whole and in parts")]
    public async Task Blobs()
    {
        var blob = await _client.PushBlobAsync($"prod/{_name}", TestContent.Random(5000));

        (await _client.HeadAsync($"/v2/all/{_name}/blobs/{blob.Digest}")).Expect(200)
            .ExpectHeader("Content-Length", "5000");
        Assert.Equal(blob.Bytes, (await _client.GetAsync($"/v2/all/{_name}/blobs/{blob.Digest}")).Expect(200).Body);
        Assert.Equal(blob.Bytes[10..20], (await _client.GetAsync($"/v2/all/{_name}/blobs/{blob.Digest}", ("Range", "bytes=10-19")))
            .Expect(206).Body);
        (await _client.GetAsync($"/v2/all/{_name}/blobs/{TestContent.Random(5).Digest}")).ExpectError(404, "BLOB_UNKNOWN");
    }

    [Fact(DisplayName = "Tags of all members are one list in byte order, page by page")]
    public async Task Tags()
    {
        foreach (var tag in new[] { "a", "c", "e", "g" })
            await _client.PushImageAsync($"dev/{_name}", tag);
        foreach (var tag in new[] { "b", "c", "d", "h" })
            await _client.PushImageAsync($"prod/{_name}", tag);

        string[] all = ["a", "b", "c", "d", "e", "g", "h"];
        Assert.Equal(all, await TagsAsync($"/v2/all/{_name}/tags/list"));
        for (var size = 1; size <= all.Length + 1; size++)
        {
            var seen = new List<string>();
            string? next = $"/v2/all/{_name}/tags/list?n={size}";
            while (next is not null)
            {
                var answer = (await _client.GetAsync(next)).Expect(200);
                var page = TagsOf(answer);
                Assert.InRange(page.Length, 1, size);
                seen.AddRange(page);
                next = answer.Header("Link") is { } link ? link[1..link.IndexOf('>', StringComparison.Ordinal)] : null;
            }

            Assert.Equal(all, seen);
        }
    }

    [Fact(DisplayName = "The catalog shows each repository of a group once, under the group's name")]
    public async Task Catalog()
    {
        await _client.PushImageAsync($"dev/{_name}/one", "v1");
        await _client.PushImageAsync($"prod/{_name}/one", "v1");
        await _client.PushImageAsync($"prod/{_name}/two", "v1");

        var listed = (await _client.GetAsync("/v2/_catalog")).Expect(200).Json.GetProperty("repositories")
            .EnumerateArray().Select(item => item.GetString()!).Where(item => item.Contains(_name, StringComparison.Ordinal));
        Assert.Equal(
            [
                $"all/{_name}/one", $"all/{_name}/two", $"dev/{_name}/one",
                $"fixed/{_name}/one", $"fixed/{_name}/two", $"prod/{_name}/one", $"prod/{_name}/two",
            ],
            listed);
        var onHost = (await _client.GetAsync("/v2/_catalog", ("Host", "all.example"))).Expect(200).Json
            .GetProperty("repositories").EnumerateArray().Select(item => item.GetString()!)
            .Where(item => item.Contains(_name, StringComparison.Ordinal));
        Assert.Equal([$"{_name}/one", $"{_name}/two"], onHost);
    }

    [Fact(DisplayName = "Referrers of all members are one list")]
    public async Task Referrers()
    {
        var subject = await _client.PushImageAsync($"dev/{_name}", "v1");
        var one = (await _client.NewArtifactAsync($"dev/{_name}", "application/one")).Subject(subject).Build();
        await _client.PushManifestAsync($"dev/{_name}", one.Digest, one);
        var two = (await _client.NewArtifactAsync($"prod/{_name}", "application/two")).Subject(subject).Build();
        await _client.PushManifestAsync($"prod/{_name}", two.Digest, two);

        Assert.Equal(
            new[] { one.Digest, two.Digest }.Order(StringComparer.Ordinal),
            await ReferrersAsync($"/v2/all/{_name}/referrers/{subject.Digest}"));
        Assert.Equal(
            [two.Digest], await ReferrersAsync($"/v2/all/{_name}/referrers/{subject.Digest}?artifactType=application/two"));
    }

    [Fact(DisplayName = "What is pushed to a group is in the member that takes pushes, and links keep the group's name")]
    public async Task Push()
    {
        var blob = TestContent.Random(50);
        var location = await _client.StartUploadAsync($"all/{_name}");
        Assert.StartsWith($"/v2/all/{_name}/blobs/uploads/", location, StringComparison.Ordinal);
        (await _client.GetAsync(location)).Expect(204);
        Assert.Equal(
            $"/v2/all/{_name}/blobs/{blob.Digest}",
            (await _client.CloseAsync(location, blob.Digest, blob.Bytes)).Expect(201).Location);

        var image = await _client.PushImageAsync($"all/{_name}", "v1");
        await ExpectManifestAsync($"prod/{_name}", "v1", image);
        await ExpectManifestAsync($"all/{_name}", "v1", image);
        (await _client.GetAsync($"/v2/dev/{_name}/manifests/v1")).Expect(404);

        (await _client.DeleteAsync($"/v2/all/{_name}/manifests/v1")).Expect(202);
        (await _client.GetAsync($"/v2/prod/{_name}/manifests/v1")).Expect(404);
    }

    [Fact(DisplayName = "A group without a member that takes pushes refuses them and says so")]
    public async Task No_push()
    {
        var refusal = (await _client.PostAsync($"/v2/fixed/{_name}/blobs/uploads/")).ExpectError(405, "UNSUPPORTED");
        Assert.Contains("Registry:Registries:fixed:PushTo", refusal.Text, StringComparison.Ordinal);
        (await _client.PutManifestAsync($"fixed/{_name}", "v1", ManifestBuilder.Index().Build())).ExpectError(405, "UNSUPPORTED");
        var image = await _client.PushImageAsync($"prod/{_name}", "v1");
        await ExpectManifestAsync($"fixed/{_name}", "v1", image); // it shows what the group in it shows
    }

    [Fact(DisplayName = "A blob is mounted from whichever member of a group has it")]
    public async Task Mount()
    {
        var blob = await _client.PushBlobAsync($"dev/{_name}", TestContent.Random(50));
        (await _client.PostAsync($"/v2/prod/{_name}/blobs/uploads/?mount={blob.Digest}&from=all/{_name}")).Expect(201);
        (await _client.GetAsync($"/v2/prod/{_name}/blobs/{blob.Digest}")).Expect(200);
    }

    [Fact(DisplayName = "What a client has seen in a group it need not push: the member that takes pushes gets it from the other one")]
    public async Task Takeover()
    {
        var layer = await _client.PushBlobAsync($"dev/{_name}", TestContent.Layer());
        var child = await _client.PushImageAsync($"dev/{_name}", "child");
        (await _client.HeadAsync($"/v2/all/{_name}/blobs/{layer.Digest}")).Expect(200);
        var config = await _client.PushBlobAsync($"all/{_name}", TestContent.Config());

        var image = await _client.PushManifestAsync($"all/{_name}", "v1", ManifestBuilder.Image(config, layer).Build());
        var index = await _client.PushManifestAsync($"all/{_name}", "all", ManifestBuilder.Index(child, image).Build());
        foreach (var manifest in new[] { image, child, index })
            await ExpectManifestAsync($"prod/{_name}", manifest.Digest, manifest);
        Assert.Equal(layer.Bytes, (await _client.GetAsync($"/v2/prod/{_name}/blobs/{layer.Digest}")).Expect(200).Body);

        (await _client.PutManifestAsync($"all/{_name}", "v2", ManifestBuilder.Image(config, TestContent.Layer()).Build()))
            .ExpectError(400, "MANIFEST_BLOB_UNKNOWN");
        (await _client.PutManifestAsync($"prod/{_name}-other", "v1", ManifestBuilder.Image(config, layer).Build()))
            .ExpectError(400, "MANIFEST_BLOB_UNKNOWN");
    }

    private async Task ExpectManifestAsync(string repository, string reference, TestContent manifest)
    {
        Assert.Equal(
            manifest.Bytes, (await _client.GetAsync($"/v2/{repository}/manifests/{reference}")).Expect(200).Body);
        (await _client.HeadAsync($"/v2/{repository}/manifests/{reference}")).Expect(200)
            .ExpectHeader("Docker-Content-Digest", manifest.Digest);
    }

    private async Task<string[]> TagsAsync(string path) => TagsOf((await _client.GetAsync(path)).Expect(200));

    private static string[] TagsOf(Answer answer)
        => [.. answer.Json.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!)];

    private async Task<string[]> ReferrersAsync(string path)
        => [.. (await _client.GetAsync(path)).Expect(200).Json.GetProperty("manifests").EnumerateArray()
            .Select(manifest => manifest.GetProperty("digest").GetString()!)];
}
