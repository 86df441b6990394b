namespace Registry.Web.Tests.Distribution;

public sealed class Section06MonolithicUploadTests(RegistryFactory registry) : DistributionTests(registry)
{
    [Theory(DisplayName = "6.1 POST and PUT with the whole body is 201 with the Location of the blob")]
    [InlineData(1, "sha256")]
    [InlineData(5_000_000, "sha256")]
    [InlineData(5000, "sha512")]
    public async Task Post_put(int size, string algorithm)
    {
        var blob = TestContent.Random(size) with { Algorithm = algorithm };

        var put = (await Client.CloseAsync(await Client.StartUploadAsync(Repository), blob.Digest, blob.Bytes))
            .Expect(201);

        Assert.Equal(blob.Bytes, (await Client.GetAsync(put.Location)).Expect(200).Body);
    }

    [Fact(DisplayName = "6.2 The Location of the 201 is the blob's own address, without session parameters")]
    public async Task Location()
    {
        var blob = TestContent.Random(100);

        var put = (await Client.CloseAsync(await Client.StartUploadAsync(Repository), blob.Digest, blob.Bytes))
            .Expect(201);

        Assert.Equal(BlobPath(blob.Digest), PathOf(put.Location));
    }

    [Theory(DisplayName = "6.3 Content that does not fit the digest is 400, and nothing is stored")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Mismatch(bool singlePost)
    {
        var (blob, other) = (TestContent.Random(100), TestContent.Random(100));

        var answer = singlePost
            ? await Client.PostAsync($"/v2/{Repository}/blobs/uploads/?digest={blob.Digest}", other.Bytes)
            : await Client.CloseAsync(await Client.StartUploadAsync(Repository), blob.Digest, other.Bytes);

        answer.ExpectError(400, "DIGEST_INVALID");
        (await Client.GetAsync(BlobPath(blob.Digest))).Expect(404);
        (await Client.GetAsync(BlobPath(other.Digest))).Expect(404);
        await Client.PushBlobAsync(Repository, blob);
    }

    [Theory(DisplayName = "6.4 A digest that is missing, malformed or of an unsupported algorithm is 400")]
    [InlineData("x=1")]
    [InlineData("digest=")]
    [InlineData("digest")]
    [InlineData("digest=sha256")]
    [InlineData("digest=sha256:abc")]
    [InlineData("digest=md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("digest=sha384:38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b")]
    [InlineData("digest=sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    public async Task Bad_digest(string query)
        => (await Client.PutAsync(RegistryClient.WithQuery(await Client.StartUploadAsync(Repository), query)))
            .ExpectError(400, "DIGEST_INVALID");

    [Fact(DisplayName = "6.4 A malformed digest on the POST is 400 too")]
    public async Task Bad_digest_on_post()
        => (await Client.PostAsync($"/v2/{Repository}/blobs/uploads/?digest=sha256:abc", [1]))
            .ExpectError(400, "DIGEST_INVALID");

    [Theory(DisplayName = "6.5 A body that breaks off leaves no blob, and its digest can be pushed afterwards")]
    [InlineData("Content-Length: 1000")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task Broken_body(string framing)
    {
        var blob = TestContent.Random(500);
        var location = await Client.StartUploadAsync(Repository);
        byte[] body = framing.StartsWith("Transfer", StringComparison.Ordinal) ? [.. "1f4\r\n"u8, .. blob.Bytes]
            : blob.Bytes;

        var answer = await RawHttp.SendAsync(
            Registry.Address, "PUT", RegistryClient.WithQuery(PathOf(location), $"digest={blob.Digest}"), [framing],
                body, finish: true);

        if (answer is { Body.Length: > 0 })
            answer.ExpectError(400, "SIZE_INVALID");
        Assert.True(answer is null or { Status: 400 }, $"{answer}");
        (await Client.GetAsync(BlobPath(blob.Digest))).Expect(404);
        await Client.PushBlobAsync(Repository, blob);
    }

    [Fact(DisplayName = "6.5 A single POST that breaks off leaves no blob")]
    public async Task Broken_post()
    {
        var blob = TestContent.Random(500);

        var answer = await RawHttp.SendAsync(
            Registry.Address, "POST", $"/v2/{Repository}/blobs/uploads/?digest={blob.Digest}",
                ["Content-Length: 1000"], blob.Bytes, finish: true);

        Assert.True(answer is null or { Status: 400 }, $"{answer}");
        (await Client.GetAsync(BlobPath(blob.Digest))).Expect(404);
    }

    [Theory(DisplayName = "6.6 A single POST with digest and body stores the blob")]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task Single_post(string algorithm)
    {
        var blob = TestContent.Random(4000) with { Algorithm = algorithm };

        var post = (await Client.PostAsync(
            $"/v2/{Repository}/blobs/uploads/?digest={Uri.EscapeDataString(blob.Digest)}", blob.Bytes,
                ("Content-Type", "application/octet-stream"))).Expect(201);

        Assert.Equal(BlobPath(blob.Digest), PathOf(post.Location));
        post.ExpectHeader("Docker-Content-Digest", blob.Digest);
        Assert.Equal(blob.Bytes, (await Client.GetAsync(post.Location)).Expect(200).Body);
    }

    [Fact(DisplayName = "6.7 Bodies come chunked as well, for PUT, PATCH and single POST")]
    public async Task Chunked()
    {
        var (put, patch, post) = (TestContent.Random(70_000), TestContent.Random(70_000), TestContent.Random(70_000));
        var chunked = ("Transfer-Encoding", "chunked");

        (await Client.CloseAsync(await Client.StartUploadAsync(Repository), put.Digest, put.Bytes, chunked))
            .Expect(201);
        var location = (await Client.PatchAsync(await Client.StartUploadAsync(Repository), patch.Bytes, chunked))
            .Expect(202).Location;
        (await Client.CloseAsync(location, patch.Digest)).Expect(201);
        (await Client.PostAsync($"/v2/{Repository}/blobs/uploads/?digest={post.Digest}", post.Bytes, chunked))
            .Expect(201);

        foreach (var blob in new[] { put, patch, post })
            Assert.Equal(blob.Bytes, (await Client.GetAsync(BlobPath(blob.Digest))).Expect(200).Body);
    }

    [Fact(DisplayName = "6.7 A body without Content-Type, or that claims to be a form, is taken as it is")]
    public async Task Content_types()
    {
        foreach (var type in new[] { "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
            "application/json", "text/plain", null })
        {
            var blob = TestContent.Text($"a=b&c={Guid.NewGuid()}");
            var location = await Client.StartUploadAsync(Repository);
            string[] headers = type is null ? [] : [$"Content-Type: {type}"];

            (await RawHttp.SendAsync(
                Registry.Address, "PUT", RegistryClient.WithQuery(PathOf(location), $"digest={blob.Digest}"),
                [.. headers, $"Content-Length: {blob.Bytes.Length}"], blob.Bytes))!.Expect(201);
            Assert.Equal(blob.Bytes, (await Client.GetAsync(BlobPath(blob.Digest))).Expect(200).Body);
        }
    }

    [Theory(DisplayName = "6.8 The empty blob is pushed with the digest of the empty string")]
    [InlineData("Content-Length: 0", "")]
    [InlineData("Transfer-Encoding: chunked", "0\r\n\r\n")]
    [InlineData("X-Nothing: 0", "")]
    public async Task Empty_blob(string header, string body)
    {
        var target = RegistryClient.WithQuery(PathOf(await Client.StartUploadAsync(Repository)),
            $"digest={TestContent.Empty.Digest}");

        (await RawHttp.SendAsync(Registry.Address, "PUT", target, [header],
            [.. body.Select(c => (byte)c)]))!.Expect(201);

        Assert.Empty((await Client.GetAsync(BlobPath(TestContent.Empty.Digest))).Expect(200).Body);
        (await Client.HeadAsync(BlobPath(TestContent.Empty.Digest))).Expect(200).ExpectHeader("Content-Length", "0");
    }

    [Fact(DisplayName = "6.9 A blob that exists is uploaded again without an error")]
    public async Task Again()
    {
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(100));
        await Client.PushBlobAsync(Repository, blob);
        await Client.PushBlobAsync(RegistryFactory.NewRepository(), blob);

        Assert.Equal(blob.Bytes, (await Client.GetAsync(BlobPath(blob.Digest))).Expect(200).Body);
    }

    [Fact(DisplayName = "6.9 Eight uploads of one blob at once all succeed")]
    public async Task At_once()
    {
        var blob = TestContent.Random(1_000_000);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Client.PushBlobAsync(Repository, blob)));

        Assert.Equal(blob.Bytes, (await Client.GetAsync(BlobPath(blob.Digest))).Expect(200).Body);
    }

    [Theory(DisplayName = "6.10 Docker-Content-Digest on the 201 is the client's digest")]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task Digest_header(string algorithm)
    {
        var blob = TestContent.Random(100) with { Algorithm = algorithm };

        (await Client.CloseAsync(await Client.StartUploadAsync(Repository), blob.Digest, blob.Bytes))
            .Expect(201).ExpectHeader("Docker-Content-Digest", blob.Digest);
    }
}
