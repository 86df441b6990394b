using System.Text.Json.Nodes;

namespace Registry.Web.Tests.Distribution;

/// <summary>Which manifests are taken, how large, under which digests and tags.</summary>
public sealed class Section09ManifestKindsTests(RegistryFactory registry) : DistributionTests(registry)
{
    [Fact(DisplayName = "9.11 An image without layers is accepted")]
    public async Task No_layers()
        => await AcceptAsync(ManifestBuilder.Image(await Client.PushBlobAsync(Repository, TestContent.Config())));

    [Fact(DisplayName = "9.11 An artifact with the empty config is accepted, also with an empty-JSON layer and without layers")]
    public async Task Artifacts()
    {
        await AcceptAsync(await Client.NewArtifactAsync(Repository, "application/vnd.example.sbom"));
        await AcceptAsync(ManifestBuilder.Artifact("application/vnd.example.note", TestContent.EmptyJson));
        await AcceptAsync(ManifestBuilder.Artifact("application/vnd.example.none"));
    }

    [Fact(DisplayName = "9.11 Any config and layer media type is accepted")]
    public async Task Any_types()
        => await AcceptAsync(ManifestBuilder.Image(
            await Client.PushBlobAsync(Repository, TestContent.Random(30, "application/vnd.cncf.helm.config.v1+json")),
            await Client.PushBlobAsync(Repository, TestContent.Random(30, "application/wasm")),
            await Client.PushBlobAsync(Repository, TestContent.Random(30, "text/plain"))));

    [Fact(DisplayName = "9.11 Indexes are accepted: of images, of indexes, empty, with artifactType")]
    public async Task Indexes()
    {
        var image = await Client.PushImageAsync(Repository, "image");
        var index = await AcceptAsync(ManifestBuilder.Index(image));

        await AcceptAsync(ManifestBuilder.Index(index, image));
        await AcceptAsync(ManifestBuilder.Index());
        await AcceptAsync(ManifestBuilder.Index(image).With("artifactType", "application/vnd.example.bundle"));
    }

    [Fact(DisplayName = "9.11 An index may list blobs, as build caches do, which must be there")]
    public async Task Index_of_blobs()
    {
        var layer = TestContent.Layer();
        (await Client.PutManifestAsync(Repository, "cache", ManifestBuilder.Index(layer).Build())).ExpectError(400, "MANIFEST_BLOB_UNKNOWN");

        await Client.PushBlobAsync(Repository, layer);
        await AcceptAsync(ManifestBuilder.Index(layer));
    }

    [Fact(DisplayName = "9.11 Subject, annotations and data are accepted on image and index")]
    public async Task Members()
    {
        var image = await Client.PushImageAsync(Repository, "image");
        var small = await Client.PushBlobAsync(Repository, TestContent.Random(20));
        var withData = small.Descriptor();
        withData["data"] = Convert.ToBase64String(small.Bytes);
        var platform = image.Descriptor();
        platform["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = "arm64", ["variant"] = "v8" };

        await AcceptAsync((await Client.NewImageAsync(Repository)).Subject(image).Annotation("a", "b")
            .With("layers", new JsonArray(withData)));
        await AcceptAsync(ManifestBuilder.Index()
            .With("manifests", new JsonArray(platform)).Subject(image).Annotation("a", ""));
    }

    [Fact(DisplayName = "9.12 Docker's image manifest and manifest list are accepted and served with their types")]
    public async Task Docker_types()
    {
        var config = await Client.PushBlobAsync(Repository,
            TestContent.Config() with { MediaType = "application/vnd.docker.container.image.v1+json" });
        var layer = await Client.PushBlobAsync(Repository,
            TestContent.Random(10, "application/vnd.docker.image.rootfs.diff.tar.gzip"));

        var image = await AcceptAsync(ManifestBuilder.DockerSchema2(config, layer));
        await AcceptAsync(ManifestBuilder.DockerManifestList(image));
    }

    [Fact(DisplayName = "9.12 Docker's schema 1 is refused clearly")]
    public async Task Docker_schema1()
    {
        var manifest = TestContent.Text("""{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[]}""", "application/vnd.docker.distribution.manifest.v1+prettyjws");

        Assert.Contains("schema 1", (await Client.PutManifestAsync(Repository, "v1", manifest))
            .ExpectError(400, "MANIFEST_INVALID").Text, StringComparison.Ordinal);
    }

    [Theory(DisplayName = "9.13 A manifest of 3.9 MB works for PUT, GET and HEAD, with and without Content-Length")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Large(bool chunked)
    {
        var manifest =
            (await Client.NewImageAsync(Repository)).Annotation("padding", new string('x', 3_900_000)).Build();
        (string, string)[] headers = [("Content-Type", manifest.MediaType), .. chunked
            ? [("Transfer-Encoding", "chunked")] : Array.Empty<(string, string)>()];

        (await Client.PutAsync(ManifestPath("v1"), manifest.Bytes, headers)).Expect(201);

        var get = (await Client.GetAsync(ManifestPath("v1"))).Expect(200);
        Assert.True(manifest.Bytes.AsSpan().SequenceEqual(get.Body));
        (await Client.HeadAsync(ManifestPath("v1"))).Expect(200)
            .ExpectHeader("Content-Length", $"{manifest.Bytes.Length}");
    }

    [Theory(DisplayName = "9.13 A manifest of exactly 4 MiB is taken, one byte more is 413, with and without Content-Length")]
    [InlineData(0, true, 201)]
    [InlineData(0, false, 201)]
    [InlineData(1, true, 413)]
    [InlineData(1, false, 413)]
    public async Task Limit(int above, bool chunked, int status)
    {
        var bare = (await Client.NewImageAsync(Repository)).Build();
        var manifest = bare with { Bytes = [.. bare.Bytes,
            .. Enumerable.Repeat((byte)' ', 4 * 1024 * 1024 - bare.Bytes.Length + above)] };
        (string, string)[] headers = [("Content-Type", manifest.MediaType), .. chunked
            ? [("Transfer-Encoding", "chunked")] : Array.Empty<(string, string)>()];

        var answer = (await Client.PutAsync(ManifestPath("v1"), manifest.Bytes, headers)).Expect(status);

        if (status == 413)
            Assert.Equal(["SIZE_INVALID"], answer.ErrorCodes());
        (await Client.HeadAsync(ManifestPath("v1"))).Expect(status == 201 ? 200 : 404);
    }

    [Fact(DisplayName = "9.15 Everything in sha512: blobs, image, index; pushed, pulled and deleted")]
    public async Task Sha512()
    {
        var config = await Client.PushBlobAsync(Repository, TestContent.Config().AsSha512());
        var layer = await Client.PushBlobAsync(Repository, TestContent.Layer().AsSha512());
        var image = ManifestBuilder.Image(config, layer).Build().AsSha512();
        var index = ManifestBuilder.Index(image).Build().AsSha512();
        foreach (var manifest in new[] { image, index })
        {
            await Client.PushManifestAsync(Repository, manifest.Digest, manifest);
            Assert.Equal(manifest.Bytes, (await Client.GetAsync(ManifestPath(manifest.Digest))).Expect(200).Body);
            (await Client.HeadAsync(ManifestPath(manifest.Digest))).Expect(200)
                .ExpectHeader("Docker-Content-Digest", manifest.Digest);
        }

        foreach (var manifest in new[] { index, image })
        {
            (await Client.DeleteAsync(ManifestPath(manifest.Digest))).Expect(202);
            (await Client.GetAsync(ManifestPath(manifest.Digest))).Expect(404);
        }
    }

    [Theory(DisplayName = "9.16 A push by digest with tag parameters creates the tags and names them in OCI-Tag")]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task Tag_parameters(string algorithm)
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build() with { Algorithm = algorithm };
        string[] tags = [.. Enumerable.Range(0, 12).Select(i => $"t{i:00}")];
        var query = string.Join('&', tags.Select(tag => $"tag={tag}"));

        var put = (await Client.PutManifestAsync(Repository, $"{manifest.Digest}?{query}", manifest)).Expect(201);

        Assert.Equal(tags, put.Header("OCI-Tag")!.Split(',', StringSplitOptions.TrimEntries)
            .Order(StringComparer.Ordinal));
        foreach (var tag in tags)
            (await Client.HeadAsync(ManifestPath(tag))).Expect(200)
                .ExpectHeader("Docker-Content-Digest", manifest.Digest);
    }

    [Fact(DisplayName = "9.16 Too many tags, or one that is none, is refused, and no tag is created")]
    public async Task Bad_tag_parameters()
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build();
        var many = string.Join('&', Enumerable.Range(0, 500).Select(i => $"tag=t{i}"));

        (await Client.PutManifestAsync(Repository, $"{manifest.Digest}?{many}", manifest)).Expect(414, 400);
        Assert.NotEmpty((await Client.PutManifestAsync(Repository, $"{manifest.Digest}?tag=good&tag=.bad", manifest))
            .Expect(400).ErrorCodes());

        (await Client.GetAsync(ManifestPath("t0"))).Expect(404);
        (await Client.GetAsync(ManifestPath("good"))).Expect(404);
    }

    private async Task<TestContent> AcceptAsync(ManifestBuilder builder)
    {
        var manifest = builder.Build();
        foreach (var reference in new[] { "accepted", manifest.Digest })
        {
            await Client.PushManifestAsync(Repository, reference, manifest);
            var get = (await Client.GetAsync(ManifestPath(reference))).Expect(200)
                .ExpectHeader("Content-Type", manifest.MediaType);
            Assert.Equal(manifest.Bytes, get.Body);
        }

        return manifest;
    }
}
