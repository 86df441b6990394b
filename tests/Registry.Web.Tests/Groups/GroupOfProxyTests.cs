using Registry.Web.Tests.Access;

namespace Registry.Web.Tests.Groups;

/// <summary>
/// A hosted registry and a proxy under one name: what takes a name from the upstream and what does not, and what the
/// upstream learns of pushes.
/// </summary>
public sealed class GroupOfProxyTests : IAsyncLifetime
{
    private const string Name = "team/app";
    private static readonly (string, string) Pusher = Basic("pusher");
    private static readonly (string, string) Puller = Basic("puller");
    private static readonly (string, string) Guest = Basic("guest");

    private readonly TemporaryFolder _folder = new();
    private ScriptedUpstream _upstream = null!;
    private RegistryFactory _registry = null!;
    private ScriptedImage _image = null!;

    private RegistryClient Client => _registry.Client;

    public async Task InitializeAsync()
    {
        var users = Path.Combine(_folder.Path, "users");
        await File.WriteAllLinesAsync(
            users, new[] { "pusher", "puller", "guest" }.Select(user => Htpasswd.Line(user, $"{user}-secret")));
        _upstream = await ScriptedUpstream.StartAsync();
        _image = _upstream.ServeImage(Name, "v1");
        _registry = await RegistryFactory.StartAsync(
        [
            ("Registries:dev:Path", "dev"),
            ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"), ("Registries:hub:Upstream", _upstream.Url),
            ("Registries:hub:NegativeTtl", "00:00:00"), ("Registries:hub:TagTtl", "00:00:00"),
            ("Registries:all:Kind", "Group"), ("Registries:all:Path", "all"), ("Registries:all:PushTo", "dev"),
            ("Registries:all:Members:0", "dev"), ("Registries:all:Members:1", "hub"),
            ("Access:Anonymous", "None"), ("Access:Htpasswd:Path", users),
            .. Rule(0, "pusher", null, "Pull", "Push", "Overwrite", "Delete"),
            .. Rule(1, "puller", null, "Pull"),
            .. Rule(2, "guest", "hub", "Pull"),
        ]);
    }

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact(DisplayName = "Blobs alone take no name: the upstream's image is still in the group")]
    public async Task Blobs_only()
    {
        await PushBlobAsync($"dev/{Name}", TestContent.Random(100));
        await ExpectUpstreamsImageAsync();
    }

    [Fact(DisplayName = "What is attached to an image of the upstream takes no name, and is listed with what the upstream has")]
    public async Task Attached()
    {
        var theirs = ServeReferrer();
        var ours = ManifestBuilder.Artifact("application/ours", await PushBlobAsync($"all/{Name}", TestContent.EmptyJson))
            .Subject(_image.Manifest).Build();
        (await PutManifestAsync($"all/{Name}", ours.Digest, ours)).Expect(201);
        (await PutManifestAsync($"all/{Name}", "attached", ours)).Expect(201);

        (await Client.GetAsync($"/v2/dev/{Name}/manifests/{ours.Digest}", Pusher)).Expect(200);
        await ExpectUpstreamsImageAsync();
        Assert.Equal(
            new[] { ours.Digest, theirs.Digest }.Order(StringComparer.Ordinal),
            (await Client.GetAsync($"/v2/all/{Name}/referrers/{_image.Manifest.Digest}", Puller)).Expect(200).Json
                .GetProperty("manifests").EnumerateArray().Select(referrer => referrer.GetProperty("digest").GetString()!));
        Assert.Equal(["attached", "v1"], await TagsAsync(Puller));
    }

    [Fact(DisplayName = "A name that a hosted member has is never asked for upstream, until its last image is deleted")]
    public async Task Taken_and_given_back()
    {
        var ours = ManifestBuilder.Index().Annotation("of", "ours").Build();
        (await PutManifestAsync($"dev/{Name}", "ours", ours)).Expect(201);
        foreach (var path in new[]
        {
            "manifests/v1", $"manifests/{_image.Manifest.Digest}", $"blobs/{_image.Layer.Digest}",
        })
        {
            foreach (var who in new[] { Pusher, Puller, Guest })
            {
                (await Client.GetAsync($"/v2/all/{Name}/{path}", who)).Expect(404);
                (await Client.HeadAsync($"/v2/all/{Name}/{path}", who)).Expect(404);
            }
        }

        Assert.Equal(["ours"], await TagsAsync(Puller));
        (await Client.GetAsync($"/v2/all/{Name}/referrers/{_image.Manifest.Digest}", Puller)).Expect(200);
        Assert.Empty(_upstream.Requests);

        (await Client.DeleteAsync($"/v2/dev/{Name}/manifests/{ours.Digest}", Pusher)).Expect(202);
        await ExpectUpstreamsImageAsync();
    }

    [Fact(DisplayName = "Who may pull from the member that hides an image is told which it is, and nobody else")]
    public async Task Told()
    {
        (await PutManifestAsync($"dev/{Name}", "ours", ManifestBuilder.Index().Build())).Expect(201);

        var told = (await Client.GetAsync($"/v2/all/{Name}/manifests/v1", Puller)).ExpectError(404, "MANIFEST_UNKNOWN");
        Assert.Contains("registry 'dev' has a repository of this name", told.Text, StringComparison.Ordinal);
        var other = (await Client.GetAsync($"/v2/all/{Name}/manifests/v1", Guest)).ExpectError(404, "MANIFEST_UNKNOWN");
        Assert.DoesNotContain("dev", other.Text, StringComparison.Ordinal);
        var missing = (await Client.GetAsync("/v2/all/team/other/manifests/v1", Puller)).ExpectError(404, "MANIFEST_UNKNOWN");
        Assert.DoesNotContain("dev", missing.Text, StringComparison.Ordinal);
    }

    [Theory(DisplayName = "An image is pushed to a group while the upstream of a member fails, and the upstream learns nothing of it")]
    [InlineData(503)]
    [InlineData(401)]
    [InlineData(200)]
    public async Task Push_without_upstream(int status)
    {
        _upstream.Gate = async context =>
        {
            await (status == 200
                ? ScriptedUpstream.Blob(TestContent.Random(100))
                : ScriptedUpstream.Status(status))(context);
            return true;
        };
        var (config, layer) = (TestContent.Config(), TestContent.Layer());
        foreach (var blob in new[] { config, layer })
        {
            (await Client.HeadAsync($"/v2/all/secret/app/blobs/{blob.Digest}", Pusher)).Expect(404);
            await PushBlobAsync("all/secret/app", blob);
            (await Client.HeadAsync($"/v2/all/secret/app/blobs/{blob.Digest}", Pusher)).Expect(200);
        }

        var image = ManifestBuilder.Image(config, layer).Build();
        (await PutManifestAsync("all/secret/app", "v1", image)).Expect(201);
        (await Client.GetAsync("/v2/all/secret/app/manifests/v1", Pusher)).Expect(200);
        Assert.Empty(_upstream.Requests);
    }

    [Fact(DisplayName = "Who may push is told of blobs that are here, cached ones too, and gets every other one by GET")]
    public async Task Pusher_looks()
    {
        var path = $"/v2/all/{Name}/blobs/{_image.Layer.Digest}";
        (await Client.HeadAsync(path, Pusher)).Expect(404);
        (await Client.HeadAsync(path, await TokenAsync("pusher", "pull,push"))).Expect(404);
        Assert.Empty(_upstream.Requests);

        // Whoever only pulls is told what the upstream has.
        (await Client.HeadAsync(path, Puller)).Expect(200).ExpectHeader("Content-Length", $"{_image.Layer.Bytes.Length}");
        (await Client.HeadAsync(path, await TokenAsync("pusher", "pull"))).Expect(200);
        (await Client.HeadAsync(path, Pusher)).Expect(404); // none of that was fetched

        Assert.Equal(_image.Layer.Bytes, (await Client.GetAsync(path, Pusher)).Expect(200).Body);
        await UntilCachedAsync(path);
        (await Client.GetAsync(path, Pusher, ("If-None-Match", $"\"{_image.Layer.Digest}\""))).Expect(304);

        // What it has been told of, it need not send.
        var config = await PushBlobAsync($"all/{Name}", TestContent.Config());
        (await PutManifestAsync($"all/{Name}", "v2", ManifestBuilder.Image(config, _image.Layer).Build())).Expect(201);
        Assert.Equal(
            _image.Layer.Bytes,
            (await Client.GetAsync($"/v2/dev/{Name}/blobs/{_image.Layer.Digest}", Pusher)).Expect(200).Body);
    }

    [Fact(DisplayName = "A client that has a blob already gets an answer though no proxy has it cached")]
    public async Task Unchanged()
        => Assert.Equal(
            _image.Config.Bytes,
            (await Client.GetAsync(
                $"/v2/all/{Name}/blobs/{_image.Config.Digest}", Pusher,
                ("If-None-Match", $"\"{_image.Config.Digest}\""))).Expect(200).Body);

    [Fact(DisplayName = "A group deletes in the member that takes pushes, and says so where that one has nothing to delete")]
    public async Task Delete()
    {
        await ExpectUpstreamsImageAsync();
        const string Where = "The group 'all' deletes in 'dev', which does not have it.";
        foreach (var reference in new[] { "v1", _image.Manifest.Digest })
        {
            Assert.Contains(
                Where,
                (await Client.DeleteAsync($"/v2/all/{Name}/manifests/{reference}", Pusher)).ExpectError(404, "NAME_UNKNOWN").Text,
                StringComparison.Ordinal);
        }

        Assert.Contains(
            Where,
            (await Client.DeleteAsync($"/v2/all/{Name}/blobs/{_image.Layer.Digest}", Pusher)).ExpectError(404, "BLOB_UNKNOWN").Text,
            StringComparison.Ordinal);
        await PushBlobAsync($"dev/{Name}", TestContent.Random(100));
        Assert.Contains(
            Where,
            (await Client.DeleteAsync($"/v2/all/{Name}/manifests/v1", Pusher)).ExpectError(404, "MANIFEST_UNKNOWN").Text,
            StringComparison.Ordinal);
        Assert.DoesNotContain(
            "group", (await Client.DeleteAsync($"/v2/dev/{Name}/manifests/v1", Pusher)).Expect(404).Text, StringComparison.Ordinal);
        await ExpectUpstreamsImageAsync();
    }

    private async Task ExpectUpstreamsImageAsync()
    {
        foreach (var who in new[] { Pusher, Puller, Guest })
        {
            foreach (var reference in new[] { "v1", _image.Manifest.Digest })
            {
                (await Client.GetAsync($"/v2/all/{Name}/manifests/{reference}", who)).Expect(200)
                    .ExpectHeader("Docker-Content-Digest", _image.Manifest.Digest);
            }

            Assert.Equal(
                _image.Layer.Bytes, (await Client.GetAsync($"/v2/all/{Name}/blobs/{_image.Layer.Digest}", who)).Expect(200).Body);
        }
    }

    // It is kept once its bytes are checked, which may be after the client has them.
    private async Task UntilCachedAsync(string path)
    {
        for (var tries = 0; tries < 600 && (await Client.HeadAsync(path, Pusher)).Status != 200; tries++)
            await Task.Delay(50);
        (await Client.HeadAsync(path, Pusher)).Expect(200);
    }

    private TestContent ServeReferrer()
    {
        var referrer = ManifestBuilder.Artifact("application/theirs", TestContent.EmptyJson).Subject(_image.Manifest).Build();
        _upstream.Route(
            ScriptedUpstream.ReferrersPath(Name, _image.Manifest),
            ScriptedUpstream.Json(
                $$"""
                {"schemaVersion":2,"mediaType":"{{ManifestBuilder.OciIndex}}","manifests":[{"mediaType":"{{referrer.MediaType}}",
                "digest":"{{referrer.Digest}}","size":{{referrer.Bytes.Length}},"artifactType":"application/theirs"}]}
                """,
                ManifestBuilder.OciIndex));
        return referrer;
    }

    private async Task<TestContent> PushBlobAsync(string repository, TestContent blob)
    {
        (await Client.PostAsync(
            $"/v2/{repository}/blobs/uploads/?digest={blob.Digest}", blob.Bytes, Pusher,
            ("Content-Type", "application/octet-stream"))).Expect(201);
        return blob;
    }

    private Task<Answer> PutManifestAsync(string repository, string reference, TestContent manifest)
        => Client.PutAsync(
            $"/v2/{repository}/manifests/{reference}", manifest.Bytes, ("Content-Type", manifest.MediaType), Pusher);

    private async Task<string[]> TagsAsync((string, string) who)
        => [.. (await Client.GetAsync($"/v2/all/{Name}/tags/list", who)).Expect(200).Json.GetProperty("tags")
            .EnumerateArray().Select(tag => tag.GetString()!)];

    private async Task<(string, string)> TokenAsync(string user, string actions)
    {
        var scope = Uri.EscapeDataString($"repository:all/{Name}:{actions}");
        var answer = (await Client.GetAsync(
            $"/token?service={_registry.Address.Authority}&scope={scope}", Basic(user))).Expect(200);
        return Credentials.Bearer(answer.Json.GetProperty("token").GetString()!);
    }

    private static IEnumerable<(string, string?)> Rule(int number, string user, string? registry, params string[] actions)
        =>
        [
            ($"Access:Rules:{number}:Subject", $"user:{user}"), ($"Access:Rules:{number}:Registry", registry),
            ($"Access:Rules:{number}:Repositories:0", "**"),
            .. actions.Select((action, i) => ($"Access:Rules:{number}:Actions:{i}", (string?)action)),
        ];

    private static (string, string) Basic(string user) => Credentials.Basic(user, $"{user}-secret");
}
