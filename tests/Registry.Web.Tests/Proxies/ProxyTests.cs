using Registry.Web.Tests.Access;

namespace Registry.Web.Tests.Proxies;

/// <summary>This product as the upstream of itself, with bearer tokens between them.</summary>
public sealed class ProxyTests : IAsyncLifetime
{
    private static readonly (string, string) Owner = Credentials.Basic("owner", "owner-secret");

    private readonly TemporaryFolder _folder = new();
    private readonly string _name = $"team/x{Guid.NewGuid():N}";
    private RegistryFactory _upstream = null!;
    private RegistryFactory _proxy = null!;

    public async Task InitializeAsync()
    {
        var users = Path.Combine(_folder.Path, "users");
        await File.WriteAllTextAsync(users, Htpasswd.Line("owner", "owner-secret"));
        _upstream = await RegistryFactory.StartAsync(
            ("Access:Anonymous", "None"),
            ("Access:Htpasswd:Path", users),
            ("Access:Rules:0:Subject", "user:owner"),
            ("Access:Rules:0:Repositories:0", "**"),
            ("Access:Rules:0:Actions:0", "pull"),
            ("Access:Rules:0:Actions:1", "push"),
            ("Access:Rules:0:Actions:2", "overwrite"),
            ("Access:Rules:0:Actions:3", "delete"));
        _proxy = await StartProxyAsync();
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact(DisplayName = "What is pulled is the upstream's, and stays when the upstream is gone")]
    public async Task Pull()
    {
        var (image, config, layer) = await PushAsync("v1");

        await ExpectImageAsync("v1", image, config, layer);
        await _upstream.DisposeAsync();
        await ExpectImageAsync("v1", image, config, layer);
        await ExpectImageAsync(image.Digest, image, config, layer);
        Assert.Equal(["v1"], await TagsAsync());
        Assert.Equal($"hub/{_name}", (await _proxy.Client.GetAsync("/v2/_catalog")).Expect(200).Json
            .GetProperty("repositories").EnumerateArray().Single().GetString());
        (await _proxy.Client.GetAsync($"/v2/hub/{_name}/manifests/v2")).ExpectError(503, "UNAVAILABLE");
        (await _proxy.Client.GetAsync($"/v2/hub/{_name}/blobs/{TestContent.Random(5).Digest}"))
            .ExpectError(503, "UNAVAILABLE");
    }

    [Fact(DisplayName = "A tag that moved at the upstream is the new one once its time is over, and the old one until then")]
    public async Task Moved_tag()
    {
        var (old, _, _) = await PushAsync("v1");
        await using var patient = await StartProxyAsync(("Registries:hub:TagTtl", "01:00:00"));
        await ExpectManifestAsync(_proxy, "v1", old);
        await ExpectManifestAsync(patient, "v1", old);

        var (moved, _, _) = await PushAsync("v1");
        await ExpectManifestAsync(_proxy, "v1", moved); // its time is over at once
        await ExpectManifestAsync(_proxy, "v1", moved);
        await ExpectManifestAsync(patient, "v1", old);
        await ExpectManifestAsync(_proxy, old.Digest, old);
    }

    [Fact(DisplayName = "Once the upstream is gone a tag is what it was, and a warning says so")]
    public async Task Stale_tag()
    {
        var (image, _, _) = await PushAsync("v1");
        await ExpectManifestAsync(_proxy, "v1", image);
        await _upstream.DisposeAsync();

        for (var i = 0; i < 3; i++)
        {
            var stale = (await _proxy.Client.GetAsync($"/v2/hub/{_name}/manifests/v1")).Expect(200);
            Assert.StartsWith("299 - \"The upstream ", stale.Header("Warning"), StringComparison.Ordinal);
            Assert.Equal(image.Bytes, stale.Body);
        }

        Assert.Null((await _proxy.Client.GetAsync($"/v2/hub/{_name}/manifests/{image.Digest}")).Expect(200).Header("Warning"));
    }

    [Fact(DisplayName = "A tag that the upstream has deleted goes, or stays where that is configured or it is pinned")]
    public async Task Deleted_tag()
    {
        var (image, _, _) = await PushAsync("v1");
        await using var keeper = await StartProxyAsync(("Registries:hub:KeepDeleted", "true"));
        await ExpectManifestAsync(_proxy, "v1", image);
        await ExpectManifestAsync(keeper, "v1", image);
        await using var pinner = await StartProxyAsync(("Registries:hub:Pinned:0", "team/**:v*"));
        await ExpectManifestAsync(pinner, "v1", image);
        (await _upstream.Client.DeleteAsync($"/v2/{_name}/manifests/v1", Owner)).Expect(202);

        (await _proxy.Client.GetAsync($"/v2/hub/{_name}/manifests/v1")).ExpectError(404, "MANIFEST_UNKNOWN");
        Assert.Empty(await TagsAsync());
        await ExpectManifestAsync(_proxy, image.Digest, image);
        foreach (var proxy in new[] { keeper, pinner })
        {
            var kept = (await proxy.Client.GetAsync($"/v2/hub/{_name}/manifests/v1")).Expect(200);
            Assert.Contains("does not have this tag any more", kept.Header("Warning"), StringComparison.Ordinal);
        }
    }

    [Fact(DisplayName = "Pushes to a proxy are refused and say why, deletes take what is cached")]
    public async Task Changes()
    {
        var (image, _, _) = await PushAsync("v1");
        await ExpectManifestAsync(_proxy, "v1", image);

        var refusal = (await _proxy.Client.PostAsync($"/v2/hub/{_name}/blobs/uploads/")).ExpectError(405, "UNSUPPORTED");
        Assert.Contains("Registry 'hub' caches another registry", refusal.Text, StringComparison.Ordinal);
        (await _proxy.Client.PutManifestAsync($"hub/{_name}", "v2", ManifestBuilder.Index().Build()))
            .ExpectError(405, "UNSUPPORTED");
        (await _proxy.Client.DeleteAsync($"/v2/hub/{_name}/manifests/{image.Digest}")).Expect(202);
        Assert.Empty(await TagsAsync());
        await ExpectManifestAsync(_proxy, "v1", image); // fetched again
    }

    [Fact(DisplayName = "An index is pulled with its children, each by its digest")]
    public async Task Index()
    {
        var (child, config, layer) = await PushAsync("child");
        var index = ManifestBuilder.Index(child).Build();
        (await _upstream.Client.PutAsync(
            $"/v2/{_name}/manifests/all", index.Bytes, ("Content-Type", index.MediaType), Owner)).Expect(201);

        await ExpectManifestAsync(_proxy, "all", index);
        await ExpectImageAsync(child.Digest, child, config, layer);
        Assert.Equal(["all"], await TagsAsync());
    }

    [Fact(DisplayName = "Referrers are the upstream's, filtered and by page, and stay when it is gone")]
    public async Task Referrers()
    {
        var (subject, _, _) = await PushAsync("v1");
        var signature = await PushReferrerAsync("application/signature", subject);
        var sbom = await PushReferrerAsync("application/sbom", subject);

        string[] both = [.. new[] { signature, sbom }.Order(StringComparer.Ordinal)];
        Assert.Equal(both, await ReferrersAsync(subject, ""));
        Assert.Equal([sbom], await ReferrersAsync(subject, "?artifactType=application/sbom"));
        Assert.Equal(both[..1], await ReferrersAsync(subject, "?n=1"));
        Assert.Equal(both[1..], await ReferrersAsync(subject, $"?n=1&last={both[0]}"));
        await _upstream.DisposeAsync();
        Assert.Equal(both, await ReferrersAsync(subject, ""));
        Assert.Empty(await ReferrersAsync(TestContent.Random(5), ""));
    }

    [Fact(DisplayName = "Offline, what is cached is there and nothing else")]
    public async Task Offline()
    {
        var (image, _, layer) = await PushAsync("v1");
        using var folder = new TemporaryFolder();
        await using (var online = await StartProxyAsync(("Data", folder.Path)))
        {
            await ExpectManifestAsync(online, "v1", image);
            (await online.Client.GetAsync($"/v2/hub/{_name}/blobs/{layer.Digest}")).Expect(200);
        }

        await PushAsync("v1");
        await PushAsync("v2");
        await using var offline = await StartProxyAsync(("Data", folder.Path), ("Registries:hub:Offline", "true"));
        await ExpectManifestAsync(offline, "v1", image);
        Assert.Equal(layer.Bytes, (await offline.Client.GetAsync($"/v2/hub/{_name}/blobs/{layer.Digest}")).Expect(200).Body);
        var refusal = (await offline.Client.GetAsync($"/v2/hub/{_name}/manifests/v2")).ExpectError(404, "NAME_UNKNOWN");
        Assert.Contains("Registry:Registries:hub:Offline", refusal.Text, StringComparison.Ordinal);
        (await offline.Client.HeadAsync($"/v2/hub/{_name}/blobs/{image.Digest}")).Expect(404);
    }

    [Fact(DisplayName = "Repositories that are not included, or excluded, are never asked for")]
    public async Task Patterns()
    {
        await PushAsync("v1");
        await using var narrow = await StartProxyAsync(("Registries:hub:Include:0", "other/**"));
        var refusal = (await narrow.Client.GetAsync($"/v2/hub/{_name}/manifests/v1")).ExpectError(404, "NAME_UNKNOWN");
        Assert.Contains("Registry:Registries:hub:Include", refusal.Text, StringComparison.Ordinal);
        await using var strict = await StartProxyAsync(("Registries:hub:Exclude:0", "team/**"));
        (await strict.Client.GetAsync($"/v2/hub/{_name}/manifests/v1")).ExpectError(404, "NAME_UNKNOWN");
        await using var wide = await StartProxyAsync(("Registries:hub:Include:0", "team/**"));
        (await wide.Client.GetAsync($"/v2/hub/{_name}/manifests/v1")).Expect(200);
    }

    [Fact(DisplayName = "A blob that another repository has cached is had from there once the upstream says it has it too")]
    public async Task Shared_blobs()
    {
        var (_, _, layer) = await PushAsync("v1");
        (await _proxy.Client.GetAsync($"/v2/hub/{_name}/blobs/{layer.Digest}")).Expect(200);

        (await _proxy.Client.GetAsync($"/v2/hub/{_name}-other/blobs/{layer.Digest}")).Expect(404);
        (await _upstream.Client.PostAsync($"/v2/{_name}-more/blobs/uploads/?mount={layer.Digest}&from={_name}", null, Owner)).Expect(201);
        Assert.Equal(
            layer.Bytes, (await _proxy.Client.GetAsync($"/v2/hub/{_name}-more/blobs/{layer.Digest}")).Expect(200).Body);
    }

    [Fact(DisplayName = "containerd's ns names a proxy, is repeated, and falls through to no other registry")]
    public async Task Namespace()
    {
        var (image, _, layer) = await PushAsync("v1");
        var ns = _upstream.Address.Authority;
        await _proxy.Client.PushImageAsync(_name, "local");

        (await _proxy.Client.GetAsync($"/v2/{_name}/manifests/v1?ns={ns}")).Expect(200)
            .ExpectHeader("OCI-Namespace", ns).ExpectHeader("Docker-Content-Digest", image.Digest);
        Assert.Equal(layer.Bytes, (await _proxy.Client.GetAsync($"/v2/{_name}/blobs/{layer.Digest}?ns={ns}")).Expect(200).Body);
        (await _proxy.Client.GetAsync($"/v2/{_name}/manifests/local?ns={ns}")).Expect(404).ExpectHeader("OCI-Namespace", ns);
        (await _proxy.Client.GetAsync($"/v2/{_name}/manifests/local?ns=unknown.example")).Expect(404)
            .ExpectHeader("OCI-Namespace", null);
        (await _proxy.Client.GetAsync($"/v2/{_name}/manifests/local")).Expect(200).ExpectHeader("OCI-Namespace", null);
    }

    [Fact(DisplayName = "A repository of one component is in the implied one, and lists show it where it is")]
    public async Task Implied()
    {
        var image = ManifestBuilder.Index().Annotation("id", _name).Build();
        (await _upstream.Client.PutAsync(
            "/v2/library/busybox/manifests/v1", image.Bytes, ("Content-Type", image.MediaType), Owner)).Expect(201);
        await using var hub = await StartProxyAsync(("Registries:hub:ImpliedPrefix", "library"));

        (await hub.Client.GetAsync("/v2/hub/busybox/manifests/v1")).Expect(200);
        (await hub.Client.GetAsync("/v2/hub/library/busybox/manifests/v1")).Expect(200);
        Assert.Equal("hub/busybox", (await hub.Client.GetAsync("/v2/hub/busybox/tags/list")).Expect(200).Json
            .GetProperty("name").GetString());
        Assert.Equal("hub/library/busybox", (await hub.Client.GetAsync("/v2/_catalog")).Expect(200).Json
            .GetProperty("repositories").EnumerateArray().Single().GetString());
    }

    [Fact(DisplayName = "R-25 A group falls back to a proxy, but never for a name that a hosted member has")]
    public async Task Group()
    {
        await PushAsync("v1");
        await PushAsync("only-upstream");
        await using var registry = await StartProxyAsync(
            ("Registries:all:Kind", "Group"), ("Registries:all:Path", "all"), ("Registries:all:PushTo", "default"),
            ("Registries:all:Members:0", "hub"), ("Registries:all:Members:1", "default"));

        (await registry.Client.GetAsync($"/v2/all/{_name}/manifests/v1")).Expect(200);
        var ours = await registry.Client.PushImageAsync($"all/{_name}", "v1");
        (await registry.Client.GetAsync($"/v2/all/{_name}/manifests/v1")).Expect(200)
            .ExpectHeader("Docker-Content-Digest", ours.Digest);
        (await registry.Client.GetAsync($"/v2/all/{_name}/manifests/only-upstream")).ExpectError(404, "MANIFEST_UNKNOWN");
        (await registry.Client.GetAsync($"/v2/hub/{_name}/manifests/only-upstream")).Expect(200);
    }

    [Fact(DisplayName = "What is pushed to a group on top of the upstream's layers gets them from there, also into another store")]
    public async Task Takeover()
    {
        var (_, _, layer) = await PushAsync("v1");
        using var folder = new TemporaryFolder();
        foreach (var store in new[] { "default", "other" })
        {
            await using var registry = await StartProxyAsync(
                ("Stores:default:Root", folder.Combine($"{store}-default")), ("Stores:other:Root", folder.Combine($"{store}-other")),
                ("Registries:ours:Path", "ours"), ("Registries:ours:Store", store),
                ("Registries:all:Kind", "Group"), ("Registries:all:Path", "all"), ("Registries:all:PushTo", "ours"),
                ("Registries:all:Members:0", "ours"), ("Registries:all:Members:1", "hub"));
            (await registry.Client.HeadAsync($"/v2/all/{_name}/blobs/{layer.Digest}")).Expect(404); // it is not here yet
            var config = await registry.Client.PushBlobAsync($"all/{_name}", TestContent.Config());
            await registry.Client.PushManifestAsync($"all/{_name}", "v2", ManifestBuilder.Image(config, layer).Build());
            Assert.Equal(
                layer.Bytes, (await registry.Client.GetAsync($"/v2/ours/{_name}/blobs/{layer.Digest}")).Expect(200).Body);
        }
    }

    private (string, string?)[] Settings(params (string, string?)[] others)
        =>
        [
            ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"),
            ("Registries:hub:Upstream", _upstream.Address.GetLeftPart(UriPartial.Authority)),
            ("Registries:hub:Username", "owner"), ("Registries:hub:Password", "owner-secret"),
            ("Registries:hub:TagTtl", "00:00:00"), ("Registries:hub:NegativeTtl", "00:00:00"), .. others,
        ];

    private Task<RegistryFactory> StartProxyAsync(params (string, string?)[] others)
        => RegistryFactory.StartAsync(
            [.. Settings(others).GroupBy(setting => setting.Item1).Select(setting => setting.Last())]);

    private async Task<(TestContent Image, TestContent Config, TestContent Layer)> PushAsync(string tag)
    {
        var (config, layer) = (TestContent.Config(), TestContent.Layer(3000));
        foreach (var blob in new[] { config, layer })
        {
            (await _upstream.Client.PostAsync(
                $"/v2/{_name}/blobs/uploads/?digest={blob.Digest}", blob.Bytes, Owner)).Expect(201);
        }

        var image = ManifestBuilder.Image(config, layer).Build();
        (await _upstream.Client.PutAsync(
            $"/v2/{_name}/manifests/{tag}", image.Bytes, ("Content-Type", image.MediaType), Owner)).Expect(201);
        return (image, config, layer);
    }

    private async Task<string> PushReferrerAsync(string type, TestContent subject)
    {
        (await _upstream.Client.PostAsync(
            $"/v2/{_name}/blobs/uploads/?digest={TestContent.EmptyJson.Digest}", TestContent.EmptyJson.Bytes, Owner)).Expect(201);
        var referrer = ManifestBuilder.Artifact(type, TestContent.EmptyJson).Subject(subject).Build();
        (await _upstream.Client.PutAsync(
            $"/v2/{_name}/manifests/{referrer.Digest}", referrer.Bytes, ("Content-Type", referrer.MediaType), Owner)).Expect(201);
        return referrer.Digest;
    }

    private async Task ExpectImageAsync(string reference, TestContent image, TestContent config, TestContent layer)
    {
        await ExpectManifestAsync(_proxy, reference, image);
        foreach (var blob in new[] { config, layer })
        {
            (await _proxy.Client.HeadAsync($"/v2/hub/{_name}/blobs/{blob.Digest}")).Expect(200)
                .ExpectHeader("Content-Length", $"{blob.Bytes.Length}");
            Assert.Equal(blob.Bytes, (await _proxy.Client.GetAsync($"/v2/hub/{_name}/blobs/{blob.Digest}")).Expect(200).Body);
            Assert.Equal(
                blob.Bytes[5..8],
                (await _proxy.Client.GetAsync($"/v2/hub/{_name}/blobs/{blob.Digest}", ("Range", "bytes=5-7"))).Expect(206).Body);
        }
    }

    private async Task ExpectManifestAsync(RegistryFactory proxy, string reference, TestContent manifest)
    {
        (await proxy.Client.HeadAsync($"/v2/hub/{_name}/manifests/{reference}")).Expect(200)
            .ExpectHeader("Docker-Content-Digest", manifest.Digest)
            .ExpectHeader("Content-Length", $"{manifest.Bytes.Length}");
        Assert.Equal(
            manifest.Bytes, (await proxy.Client.GetAsync($"/v2/hub/{_name}/manifests/{reference}")).Expect(200)
                .ExpectHeader("Content-Type", manifest.MediaType).Body);
    }

    private async Task<string[]> TagsAsync()
        => [.. (await _proxy.Client.GetAsync($"/v2/hub/{_name}/tags/list")).Expect(200).Json
            .GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!)];

    private async Task<string[]> ReferrersAsync(TestContent subject, string query)
        => [.. (await _proxy.Client.GetAsync($"/v2/hub/{_name}/referrers/{subject.Digest}{query}")).Expect(200).Json
            .GetProperty("manifests").EnumerateArray().Select(manifest => manifest.GetProperty("digest").GetString()!)];
}
