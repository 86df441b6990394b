namespace Registry.Web.Tests.Distribution;

public sealed class Section12DeletionTests(RegistryFactory registry) : DistributionTests(registry)
{
    [Fact(DisplayName = "12.1 Deleting a tag is 202, and the manifest stays by digest")]
    public async Task Tag()
    {
        var manifest = await Client.PushImageAsync(Repository, "v1");
        await Client.PushManifestAsync(Repository, "v2", manifest);

        (await Client.DeleteAsync(ManifestPath("v1"))).Expect(202);

        (await Client.GetAsync(ManifestPath("v1"))).ExpectError(404, "MANIFEST_UNKNOWN");
        (await Client.HeadAsync(ManifestPath("v1"))).Expect(404);
        (await Client.GetAsync(ManifestPath("v2"))).Expect(200);
        (await Client.GetAsync(ManifestPath(manifest.Digest))).Expect(200);
    }

    [Fact(DisplayName = "12.2 Deleting by digest is 202, and takes every tag along")]
    public async Task Digest()
    {
        var manifest = await Client.PushImageAsync(Repository, "v1");
        await Client.PushManifestAsync(Repository, "v2", manifest);
        await Client.PushImageAsync(Repository, "other");

        (await Client.DeleteAsync(ManifestPath(manifest.Digest))).Expect(202);

        foreach (var reference in new[] { "v1", "v2", manifest.Digest })
        {
            (await Client.GetAsync(ManifestPath(reference))).ExpectError(404, "MANIFEST_UNKNOWN");
            (await Client.HeadAsync(ManifestPath(reference))).Expect(404);
        }

        var tags = (await Client.GetAsync($"/v2/{Repository}/tags/list")).Json.GetProperty("tags").EnumerateArray()
            .Select(tag => tag.GetString());
        Assert.Equal(["other"], tags);
    }

    [Fact(DisplayName = "12.3 An unknown repository, manifest or tag is 404")]
    public async Task Unknown()
    {
        (await Client.DeleteAsync(ManifestPath("v1"))).ExpectError(404, "NAME_UNKNOWN", "MANIFEST_UNKNOWN");
        (await Client.DeleteAsync(ManifestPath(UnknownDigest))).ExpectError(404, "NAME_UNKNOWN", "MANIFEST_UNKNOWN");
        var manifest = await Client.PushImageAsync(Repository, "v1");

        (await Client.DeleteAsync(ManifestPath("v2"))).ExpectError(404, "MANIFEST_UNKNOWN");
        (await Client.DeleteAsync(ManifestPath(UnknownDigest))).ExpectError(404, "MANIFEST_UNKNOWN");
        (await Client.DeleteAsync(ManifestPath(manifest.Digest))).Expect(202);
        (await Client.DeleteAsync(ManifestPath(manifest.Digest))).ExpectError(404, "MANIFEST_UNKNOWN");
    }

    [Theory(DisplayName = "12.3 A reference that can be nothing is 4xx")]
    [InlineData("sha256:xyz")]
    [InlineData(".tag")]
    public async Task Malformed(string reference)
        => Assert.NotEmpty((await Client.DeleteAsync(ManifestPath(reference))).Expect(400, 404).ErrorCodes());

    [Fact(DisplayName = "12.4 Deleting a blob is 202, takes it from this repository only, and is 404 where it is unknown")]
    public async Task Blob()
    {
        var other = RegistryFactory.NewRepository();
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(100));
        await Client.PushBlobAsync(other, blob);
        (await Client.DeleteAsync(BlobPath(UnknownDigest))).ExpectError(404, "BLOB_UNKNOWN");

        (await Client.DeleteAsync(BlobPath(blob.Digest))).Expect(202);

        (await Client.GetAsync(BlobPath(blob.Digest))).ExpectError(404, "BLOB_UNKNOWN");
        (await Client.HeadAsync(BlobPath(blob.Digest))).Expect(404);
        (await Client.DeleteAsync(BlobPath(blob.Digest))).ExpectError(404, "BLOB_UNKNOWN");
        Assert.Equal(blob.Bytes, (await Client.GetAsync($"/v2/{other}/blobs/{blob.Digest}")).Expect(200).Body);
    }

    [Fact(DisplayName = "12.5 Where deleting is disabled it is 405 with UNSUPPORTED, and nothing goes")]
    public async Task Disabled()
    {
        await using var frozen = await RegistryFactory.StartAsync(("Delete:Enabled", "false"));
        var blob = await frozen.Client.PushBlobAsync(Repository, TestContent.Random(10));
        var manifest = await frozen.Client.PushImageAsync(Repository, "v1");

        foreach (var path in new[] { ManifestPath("v1"), ManifestPath(manifest.Digest), BlobPath(blob.Digest) })
        {
            var refused = (await frozen.Client.DeleteAsync(path)).ExpectError(405, "UNSUPPORTED");
            Assert.Contains("GET", refused.Header("Allow"), StringComparison.Ordinal);
            (await frozen.Client.GetAsync(path)).Expect(200);
        }

        (await frozen.Client.DeleteAsync(await frozen.Client.StartUploadAsync(Repository))).Expect(204);
    }

    [Theory(DisplayName = "12.6 An index, its children, config and layers are deleted in any order")]
    [InlineData(0, 1, 2, 3)]
    [InlineData(3, 2, 1, 0)]
    [InlineData(2, 0, 3, 1)]
    [InlineData(1, 3, 0, 2)]
    public async Task Any_order(int first, int second, int third, int fourth)
    {
        var (config, layer) =
            (await Client.PushBlobAsync(Repository, TestContent.Config()),
            await Client.PushBlobAsync(Repository, TestContent.Layer()));
        var image = await Client.PushManifestAsync(Repository, "image", ManifestBuilder.Image(config, layer).Build());
        var index = await Client.PushManifestAsync(Repository, "index", ManifestBuilder.Index(image).Build());
        string[] paths = [ManifestPath(index.Digest), ManifestPath(image.Digest), BlobPath(config.Digest),
            BlobPath(layer.Digest)];
        var left = paths.ToList();

        foreach (var path in new[] { first, second, third, fourth }.Select(i => paths[i]))
        {
            (await Client.DeleteAsync(path)).Expect(202);
            left.Remove(path);
            (await Client.GetAsync(path)).Expect(404);
            foreach (var rest in left)
                (await Client.GetAsync(rest)).Expect(200);
        }
    }

    [Fact(DisplayName = "12.7 What was deleted can be pushed again, and is there for GET, HEAD, tags and referrers")]
    public async Task Again()
    {
        var (config, layer) = (TestContent.Config(), TestContent.Layer());
        var subject = await Client.PushImageAsync(Repository, "subject");
        var image = ManifestBuilder.Image(config, layer).Subject(subject).Build();

        for (var round = 0; round < 3; round++)
        {
            await Client.PushBlobAsync(Repository, config);
            await Client.PushBlobAsync(Repository, layer);
            await Client.PushManifestAsync(Repository, "v1", image);
            (await Client.GetAsync(ManifestPath("v1"))).Expect(200);
            (await Client.HeadAsync(ManifestPath(image.Digest))).Expect(200);
            Assert.Equal(layer.Bytes, (await Client.GetAsync(BlobPath(layer.Digest))).Expect(200).Body);
            Assert.Contains("\"v1\"", (await Client.GetAsync($"/v2/{Repository}/tags/list")).Text,
                StringComparison.Ordinal);
            Assert.Contains(image.Digest,
                (await Client.GetAsync($"/v2/{Repository}/referrers/{subject.Digest}")).Text, StringComparison.Ordinal);

            foreach (var path in new[] { ManifestPath(image.Digest), BlobPath(config.Digest), BlobPath(layer.Digest) })
            {
                (await Client.DeleteAsync(path)).Expect(202);
                (await Client.HeadAsync(path)).Expect(404);
            }

            (await Client.HeadAsync(ManifestPath("v1"))).Expect(404);
        }
    }

    [Fact(DisplayName = "12.8 A blob in use can be deleted; its manifest stays, and cannot be pushed without it")]
    public async Task In_use()
    {
        var (config, layer) =
            (await Client.PushBlobAsync(Repository, TestContent.Config()),
            await Client.PushBlobAsync(Repository, TestContent.Layer()));
        var image = await Client.PushManifestAsync(Repository, "v1", ManifestBuilder.Image(config, layer).Build());

        (await Client.DeleteAsync(BlobPath(layer.Digest))).Expect(202);

        (await Client.GetAsync(ManifestPath("v1"))).Expect(200);
        (await Client.HeadAsync(BlobPath(layer.Digest))).Expect(404);
        (await Client.PutManifestAsync(Repository, "v2",
            ManifestBuilder.Image(config, layer).Annotation("a", "b").Build()))
            .ExpectError(400, "MANIFEST_BLOB_UNKNOWN");
        Assert.Equal(image.Bytes, (await Client.GetAsync(ManifestPath(image.Digest))).Body);
    }
}
