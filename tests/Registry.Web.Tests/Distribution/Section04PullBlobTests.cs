namespace Registry.Web.Tests.Distribution;

public sealed class Section04PullBlobTests(RegistryFactory registry) : DistributionTests(registry)
{
    [Theory(DisplayName = "4.1 GET delivers the blob, HEAD its length without a body")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public async Task Pull(int size)
    {
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(size));

        var get = (await Client.GetAsync(BlobPath(blob.Digest))).Expect(200).ExpectHeader("Content-Length", $"{size}");
        Assert.Equal(blob.Bytes, get.Body);
        var head = await RawHttp.SendAsync(Registry.Address, "HEAD", BlobPath(blob.Digest), ["Connection: close"]);
        Assert.Empty(head!.Expect(200).ExpectHeader("Content-Length", $"{size}").Body);
    }

    [Theory(DisplayName = "4.2 Docker-Content-Digest fits the body, in the requested algorithm")]
    [InlineData("GET", "sha256")]
    [InlineData("HEAD", "sha256")]
    [InlineData("GET", "sha512")]
    [InlineData("HEAD", "sha512")]
    public async Task Digest_header(string method, string algorithm)
    {
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(100) with { Algorithm = algorithm });

        (await Client.SendAsync(method, BlobPath(blob.Digest))).Expect(200)
            .ExpectHeader("Docker-Content-Digest", blob.Digest);
    }

    [Fact(DisplayName = "4.3 A blob that is nowhere is 404")]
    public async Task Unknown_blob()
    {
        (await Client.GetAsync(BlobPath(UnknownDigest))).ExpectError(404, "BLOB_UNKNOWN");
        (await Client.HeadAsync(BlobPath(UnknownDigest))).Expect(404);
    }

    [Fact(DisplayName = "4.3 A blob of another repository is 404")]
    public async Task Blob_of_another_repository() // S-3
    {
        var blob = await Client.PushBlobAsync(RegistryFactory.NewRepository(), TestContent.Random(10));
        await Client.PushImageAsync(Repository, "v1");

        (await Client.GetAsync(BlobPath(blob.Digest))).ExpectError(404, "BLOB_UNKNOWN");
        (await Client.HeadAsync(BlobPath(blob.Digest))).Expect(404);

        // Nor is one that was taken out of this repository, though it has just been read here and the other one keeps it.
        await Client.PushBlobAsync(Repository, blob);
        (await Client.GetAsync(BlobPath(blob.Digest))).Expect(200);
        (await Client.DeleteAsync(BlobPath(blob.Digest))).Expect(202);
        (await Client.GetAsync(BlobPath(blob.Digest))).ExpectError(404, "BLOB_UNKNOWN");
        (await Client.HeadAsync(BlobPath(blob.Digest))).Expect(404);
    }

    [Theory(DisplayName = "4.4 A malformed digest is refused")]
    [InlineData("sha256:xyz")]
    [InlineData("latest")]
    [InlineData("sha256:")]
    public async Task Malformed(string digest)
    {
        (await Client.GetAsync(BlobPath(digest))).ExpectError(400, "DIGEST_INVALID");
        (await Client.HeadAsync(BlobPath(digest))).Expect(400);
    }

    [Theory(DisplayName = "4.5 A range is 206 with exactly its bytes")]
    [InlineData("bytes=500-1499", 500, 1499)]
    [InlineData("bytes=0-0", 0, 0)]
    [InlineData("bytes=500-", 500, 1999)]
    [InlineData("bytes=0-", 0, 1999)]
    [InlineData("bytes=1999-", 1999, 1999)]
    [InlineData("bytes=-500", 1500, 1999)]
    [InlineData("bytes=-5000", 0, 1999)]
    [InlineData("bytes=1000-99999", 1000, 1999)]
    [InlineData("bytes=1000-9223372036854775807", 1000, 1999)]
    [InlineData("bytes=1000-99999999999999999999999999", 1000, 1999)]
    [InlineData("BYTES=500-1499", 500, 1499)]
    public async Task Range(string range, int first, int last)
    {
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(2000));

        var answer = await Client.GetAsync(BlobPath(blob.Digest), ("Range", range));

        answer.Expect(206).ExpectHeader("Content-Range", $"bytes {first}-{last}/2000")
            .ExpectHeader("Content-Length", $"{last - first + 1}");
        Assert.Equal(blob.Bytes[first..(last + 1)], answer.Body);
    }

    [Theory(DisplayName = "4.5 A range that starts at or past the length is 416 with the length")]
    [InlineData("bytes=2000-")]
    [InlineData("bytes=5000-6000")]
    [InlineData("bytes=9223372036854775807-")]
    [InlineData("bytes=99999999999999999999-")]
    [InlineData("bytes=-0")]
    public async Task Range_past_the_end(string range)
    {
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(2000));

        (await Client.GetAsync(BlobPath(blob.Digest), ("Range", range))).Expect(416)
            .ExpectHeader("Content-Range", "bytes */2000");
    }

    [Theory(DisplayName = "4.5 A reversed, malformed, foreign or multiple range never yields a part")]
    [InlineData("bytes=500-0")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=")]
    [InlineData("bytes=-")]
    [InlineData("lines=0-5")]
    [InlineData("bytes=0-4,10-14")]
    [InlineData("bytes=99999999999999999999-999999999999999999999")]
    [InlineData("0-5")]
    public async Task No_part(string range)
    {
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(2000));

        var answer = (await Client.GetAsync(BlobPath(blob.Digest), ("Range", range))).Expect(200, 416);

        if (answer.Status == 200)
            Assert.Equal(blob.Bytes, answer.Body);
    }

    [Fact(DisplayName = "4.5 Ranges of an empty blob are 416 or ignored, and the server says that it takes ranges")]
    public async Task Range_of_nothing()
    {
        await Client.PushBlobAsync(Repository, TestContent.Empty);

        (await Client.GetAsync(BlobPath(TestContent.Empty.Digest), ("Range", "bytes=0-"))).Expect(200, 416);
        (await Client.GetAsync(BlobPath(TestContent.Empty.Digest))).ExpectHeader("Accept-Ranges", "bytes");
    }

    [Fact(DisplayName = "4.5 A range under an If-Range that no longer fits is ignored")]
    public async Task If_range()
    {
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(2000));

        (await Client.GetAsync(BlobPath(blob.Digest), ("Range", "bytes=5-9"), ("If-Range", $"\"{blob.Digest}\"")))
            .Expect(206);
        (await Client.GetAsync(BlobPath(blob.Digest), ("Range", "bytes=5-9"), ("If-Range", "\"other\""))).Expect(200);
    }

    [Fact(DisplayName = "4.2 The ETag is the quoted digest, and If-None-Match with it is 304")]
    public async Task Etag()
    {
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(2000));

        (await Client.GetAsync(BlobPath(blob.Digest))).ExpectHeader("ETag", $"\"{blob.Digest}\"");
        (await Client.GetAsync(BlobPath(blob.Digest), ("If-None-Match", $"\"{blob.Digest}\""))).Expect(304);
        (await Client.HeadAsync(BlobPath(blob.Digest), ("If-None-Match", $"\"{blob.Digest}\""))).Expect(304);
    }
}
