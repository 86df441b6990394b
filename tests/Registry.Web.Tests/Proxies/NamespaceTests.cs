namespace Registry.Web.Tests.Proxies;

/// <summary>
/// What a client of a mirror sees under every kind of address: <c>ns</c>, which decides alone, and host names of a proxy
/// and of a group, exact and by their suffix. Names and addresses are those that the client used.
/// </summary>
public sealed class NamespaceTests : IAsyncLifetime
{
    private const string Ns = "hub.example";
    private const string Name = "team/app";

    private ScriptedUpstream _upstream = null!;
    private RegistryFactory _registry = null!;
    private ScriptedImage _image = null!;

    private RegistryClient Client => _registry.Client;

    public async Task InitializeAsync()
    {
        _upstream = await ScriptedUpstream.StartAsync();
        _image = _upstream.ServeImage(Name, "v1");
        _upstream.ServeManifest(Name, _image.Manifest, "v2");
        _registry = await RegistryFactory.StartAsync(
            ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"), ("Registries:hub:Upstream", _upstream.Url),
            ("Registries:hub:Namespaces:0", Ns),
            ("Registries:hub:Hosts:0", "mirror.example"), ("Registries:hub:Hosts:1", "*.mirror.example"),
            ("Registries:all:Kind", "Group"), ("Registries:all:Path", "all"), ("Registries:all:PushTo", "default"),
            ("Registries:all:Members:0", "default"), ("Registries:all:Members:1", "hub"),
            ("Registries:all:Hosts:0", "all.example"), ("Registries:all:Hosts:1", "*.all.example"));
    }

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact(DisplayName = "A known ns is repeated in every answer about a repository, whatever it is that is asked for")]
    public async Task Repeated()
    {
        ServeReferrers();
        foreach (var path in new[] { "manifests/v1", $"manifests/{_image.Manifest.Digest}", $"blobs/{_image.Layer.Digest}" })
        {
            foreach (var method in new[] { "HEAD", "GET" })
            {
                (await Client.SendAsync(method, $"/v2/{Name}/{path}?ns={Ns}")).Expect(200)
                    .ExpectHeader("OCI-Namespace", Ns).ExpectHeader("Docker-Content-Digest", path.Contains("blobs", StringComparison.Ordinal)
                        ? _image.Layer.Digest
                        : _image.Manifest.Digest);
            }
        }

        (await Client.GetAsync($"/v2/{Name}/blobs/{_image.Layer.Digest}?ns={Ns}", ("Range", "bytes=1-3"))).Expect(206)
            .ExpectHeader("OCI-Namespace", Ns);
        Assert.Equal(Name, (await Client.GetAsync($"/v2/{Name}/tags/list?ns={Ns}")).Expect(200)
            .ExpectHeader("OCI-Namespace", Ns).Json.GetProperty("name").GetString());
        Assert.Single((await Client.GetAsync($"/v2/{Name}/referrers/{_image.Manifest.Digest}?ns={Ns}")).Expect(200)
            .ExpectHeader("OCI-Namespace", Ns).Json.GetProperty("manifests").EnumerateArray());
        foreach (var path in new[] { "manifests/v9", $"blobs/{TestContent.Random(9).Digest}" })
            (await Client.GetAsync($"/v2/{Name}/{path}?ns={Ns}")).Expect(404).ExpectHeader("OCI-Namespace", Ns);
    }

    [Fact(DisplayName = "An unknown ns is 404 and not repeated, whatever it is that is asked for, though the root has it")]
    public async Task Unknown()
    {
        var ours = await Client.PushImageAsync(Name, "v1");
        var blob = await Client.PushBlobAsync(Name, TestContent.Random(100));
        foreach (var ns in new[] { "unknown.example", "hub.example:443", "hub", "all", "*" })
        {
            foreach (var path in new[]
            {
                "manifests/v1", $"manifests/{ours.Digest}", $"blobs/{blob.Digest}", "tags/list", $"referrers/{ours.Digest}",
            })
            {
                foreach (var method in new[] { "HEAD", "GET" })
                {
                    var answer = (await Client.SendAsync(method, $"/v2/{Name}/{path}?ns={Uri.EscapeDataString(ns)}"))
                        .Expect(404).ExpectHeader("OCI-Namespace", null);
                    if (method == "GET")
                        Assert.Contains($"No proxy answers to ns={ns} (", answer.ExpectError(404, "NAME_UNKNOWN").Text, StringComparison.Ordinal);
                }
            }
        }

        Assert.Empty(_upstream.Requests);
    }

    [Fact(DisplayName = "The next page of a list that was asked for with ns is another one with ns")]
    public async Task Pages()
    {
        foreach (var tag in new[] { "v1", "v2" })
            (await Client.GetAsync($"/v2/{Name}/manifests/{tag}?ns={Ns}")).Expect(200);

        var first = (await Client.GetAsync($"/v2/{Name}/tags/list?ns={Ns}&n=1")).Expect(200);
        Assert.Equal(["v1"], Tags(first));
        var next = Distribution.Paging.Next(first)!;
        Assert.StartsWith($"/v2/{Name}/tags/list?", next, StringComparison.Ordinal);
        Assert.Equal(["v2"], Tags((await Client.GetAsync(next)).Expect(200).ExpectHeader("OCI-Namespace", Ns)));
    }

    [Fact(DisplayName = "A push with ns goes where the path leads, and its addresses know nothing of it")]
    public async Task Pushes()
    {
        var blob = TestContent.Random(100);
        var location = (await Client.PostAsync($"/v2/{Name}/blobs/uploads/?ns={Ns}")).Expect(202)
            .ExpectHeader("OCI-Namespace", null).Location;
        Assert.StartsWith($"/v2/{Name}/blobs/uploads/", location, StringComparison.Ordinal);
        (await Client.PatchAsync(RegistryClient.WithQuery(location, $"ns={Ns}"), blob.Bytes)).Expect(202);
        (await Client.GetAsync(RegistryClient.WithQuery(location, $"ns={Ns}"))).Expect(204);
        Assert.Equal(
            $"/v2/{Name}/blobs/{blob.Digest}",
            (await Client.PutAsync(RegistryClient.WithQuery(location, $"digest={blob.Digest}&ns={Ns}"))).Expect(201).Location);

        (await Client.GetAsync($"/v2/{Name}/blobs/{blob.Digest}")).Expect(200);
        (await Client.GetAsync($"/v2/{Name}/blobs/{blob.Digest}?ns={Ns}")).Expect(404);
        (await Client.PostAsync($"/v2/hub/{Name}/blobs/uploads/?ns={Ns}")).ExpectError(405, "UNSUPPORTED");
    }

    [Theory(DisplayName = "Under a host name of its own a proxy shows the upstream's names, and refuses pushes under them")]
    [InlineData("mirror.example")]
    [InlineData("MIRROR.example:5000")]
    [InlineData("eu.mirror.example")]
    public async Task Proxy_host(string name)
    {
        var host = ("Host", name);
        ServeReferrers();
        foreach (var tag in new[] { "v1", "v2" })
        {
            (await Client.GetAsync($"/v2/{Name}/manifests/{tag}", host)).Expect(200)
                .ExpectHeader("Docker-Content-Digest", _image.Manifest.Digest).ExpectHeader("OCI-Namespace", null);
        }

        Assert.Equal(_image.Layer.Bytes, (await Client.GetAsync($"/v2/{Name}/blobs/{_image.Layer.Digest}", host)).Expect(200).Body);
        var first = (await Client.GetAsync($"/v2/{Name}/tags/list?n=1", host)).Expect(200);
        Assert.Equal(Name, first.Json.GetProperty("name").GetString());
        Assert.StartsWith($"/v2/{Name}/tags/list?", Distribution.Paging.Next(first), StringComparison.Ordinal);
        Assert.Equal(["v2"], Tags((await Client.GetAsync(Distribution.Paging.Next(first)!, host)).Expect(200)));
        Assert.Equal([Name], await CatalogAsync(host));
        Assert.Single((await Client.GetAsync($"/v2/{Name}/referrers/{_image.Manifest.Digest}", host)).Expect(200)
            .Json.GetProperty("manifests").EnumerateArray());
        (await Client.PostAsync($"/v2/{Name}/blobs/uploads/", null, host)).ExpectError(405, "UNSUPPORTED");
        (await Client.GetAsync($"/v2/hub/{Name}/manifests/v1", host)).Expect(404); // the whole name is the upstream's
        // The host decides before ns does.
        (await Client.GetAsync($"/v2/{Name}/manifests/v1?ns=unknown.example", host)).Expect(200)
            .ExpectHeader("OCI-Namespace", null);
    }

    [Theory(DisplayName = "Under a host name of its own a group shows and takes everything under the names used there")]
    [InlineData("all.example")]
    [InlineData("eu.all.example:5000")]
    public async Task Group_host(string name)
    {
        var host = ("Host", name);
        var (blob, ours) = (TestContent.Random(100), ManifestBuilder.Index().Annotation("of", "ours").Build());
        var location = (await Client.PostAsync("/v2/ours/app/blobs/uploads/", null, host)).Expect(202).Location;
        Assert.StartsWith("/v2/ours/app/blobs/uploads/", location, StringComparison.Ordinal);
        Assert.Equal(
            $"/v2/ours/app/blobs/{blob.Digest}", (await Client.CloseAsync(location, blob.Digest, blob.Bytes, host)).Expect(201).Location);
        foreach (var tag in new[] { "v1", "v2" })
        {
            Assert.StartsWith(
                "/v2/ours/app/manifests/",
                (await Client.PutAsync($"/v2/ours/app/manifests/{tag}", ours.Bytes, ("Content-Type", ours.MediaType), host))
                    .Expect(201).Location,
                StringComparison.Ordinal);
        }

        (await Client.GetAsync($"/v2/{Name}/manifests/v1", host)).Expect(200)
            .ExpectHeader("Docker-Content-Digest", _image.Manifest.Digest);
        (await Client.GetAsync($"/v2/{Name}/blobs/{_image.Layer.Digest}", host)).Expect(200);
        var first = (await Client.GetAsync("/v2/ours/app/tags/list?n=1", host)).Expect(200);
        Assert.Equal("ours/app", first.Json.GetProperty("name").GetString());
        Assert.StartsWith("/v2/ours/app/tags/list?", Distribution.Paging.Next(first), StringComparison.Ordinal);
        Assert.Equal(["v2"], Tags((await Client.GetAsync(Distribution.Paging.Next(first)!, host)).Expect(200)));
        Assert.Equal(["ours/app", Name], await CatalogAsync(host));
        (await Client.GetAsync("/v2/ours/app/manifests/v1")).Expect(200); // in the member that takes pushes
    }

    private void ServeReferrers()
    {
        var referrer = ManifestBuilder.Artifact("application/signature", TestContent.EmptyJson).Subject(_image.Manifest).Build();
        _upstream.Route(
            ScriptedUpstream.ReferrersPath(Name, _image.Manifest),
            ScriptedUpstream.Json(
                $$"""
                {"schemaVersion":2,"mediaType":"{{ManifestBuilder.OciIndex}}","manifests":[{"mediaType":"{{referrer.MediaType}}",
                "digest":"{{referrer.Digest}}","size":{{referrer.Bytes.Length}},"artifactType":"application/signature"}]}
                """,
                ManifestBuilder.OciIndex));
    }

    private async Task<string[]> CatalogAsync((string, string) host)
    {
        var names = new List<string>();
        for (string? next = "/v2/_catalog?n=1"; next is not null;)
        {
            var page = (await Client.GetAsync(next, host)).Expect(200);
            names.AddRange(page.Json.GetProperty("repositories").EnumerateArray().Select(item => item.GetString()!));
            next = Distribution.Paging.Next(page);
        }

        return [.. names];
    }

    private static string[] Tags(Answer answer)
        => [.. answer.Json.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!)];
}
