namespace Registry.Web.Tests.Distribution;

public sealed class Section08MountTests(RegistryFactory registry) : DistributionTests(registry)
{
    private readonly string _source = RegistryFactory.NewRepository();

    [Theory(DisplayName = "8.1 A blob of another repository is mounted, whichever way the parameters are written")]
    [InlineData("mount={0}&from={1}", false)]
    [InlineData("from={1}&mount={0}", false)]
    [InlineData("from={1}&mount={0}", true)]
    public async Task Mount(string query, bool encoded)
    {
        var blob = await Client.PushBlobAsync(_source, TestContent.Random(100));
        string Written(string value) => encoded ? Uri.EscapeDataString(value) : value;

        var mounted =
            (await Client.PostAsync($"/v2/{Repository}/blobs/uploads/?{string.Format(query, Written(blob.Digest), Written(_source))}")).Expect(201);

        Assert.Equal(blob.Bytes, (await Client.GetAsync(mounted.Location)).Expect(200).Body);
        (await Client.HeadAsync(BlobPath(blob.Digest))).Expect(200);
    }

    [Theory(DisplayName = "8.2 Location is the blob's address, and the digest header is in the algorithm asked for")]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task Location(string algorithm)
    {
        var blob = await Client.PushBlobAsync(_source, TestContent.Random(100) with { Algorithm = algorithm });

        var mounted = (await MountAsync(blob.Digest, _source)).Expect(201)
            .ExpectHeader("Docker-Content-Digest", blob.Digest);

        Assert.Equal(BlobPath(blob.Digest), PathOf(mounted.Location));
    }

    [Theory(DisplayName = "8.3 What cannot be mounted is 202 with a session that works")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Fall_back(bool sourceExists)
    {
        var blob = TestContent.Random(100);
        if (sourceExists)
            await Client.PushBlobAsync(_source, TestContent.Random(10));

        var answer = (await MountAsync(blob.Digest, _source)).Expect(202);

        (await Client.GetAsync(BlobPath(blob.Digest))).Expect(404);
        (await Client.CloseAsync(answer.Location, blob.Digest, blob.Bytes)).Expect(201);
        Assert.Equal(blob.Bytes, (await Client.GetAsync(BlobPath(blob.Digest))).Expect(200).Body);
    }

    [Theory(DisplayName = "8.3 A source that is no repository name is 202 as well")]
    [InlineData("Upper/Case")]
    [InlineData("")]
    [InlineData("..%2F..%2Fetc")]
    public async Task Impossible_source(string from)
        => (await Client.PostAsync($"/v2/{Repository}/blobs/uploads/?mount={UnknownDigest}&from={from}")).Expect(202);

    [Fact(DisplayName = "8.4 Without from, a blob is mounted from where it may be read, or a session is opened")]
    public async Task Without_from()
    {
        var blob = await Client.PushBlobAsync(_source, TestContent.Random(100));

        var answer = (await Client.PostAsync($"/v2/{Repository}/blobs/uploads/?mount={blob.Digest}")).Expect(201, 202);

        (await Client.GetAsync(BlobPath(blob.Digest))).Expect(answer.Status == 201 ? 200 : 404);
    }

    [Fact(DisplayName = "8.5 An unknown digest without from is 202")]
    public async Task Unknown_without_from()
        => (await Client.PostAsync($"/v2/{Repository}/blobs/uploads/?mount={UnknownDigest}")).Expect(202);

    [Fact(DisplayName = "8.6 A mounted blob survives the deletion in its source")]
    public async Task Survives()
    {
        var blob = await Client.PushBlobAsync(_source, TestContent.Random(100));
        (await MountAsync(blob.Digest, _source)).Expect(201);

        (await Client.DeleteAsync($"/v2/{_source}/blobs/{blob.Digest}")).Expect(202);

        Assert.Equal(blob.Bytes, (await Client.GetAsync(BlobPath(blob.Digest))).Expect(200).Body);
        (await Client.GetAsync($"/v2/{_source}/blobs/{blob.Digest}")).Expect(404);
        (await Client.PostAsync($"/v2/{RegistryFactory.NewRepository()}/blobs/uploads/?mount={blob.Digest}&from={_source}")).Expect(202);
    }

    [Theory(DisplayName = "8.7 A malformed digest is 400 or 202, and mounts nothing")]
    [InlineData("sha256:xyz")]
    [InlineData("latest")]
    [InlineData("")]
    public async Task Malformed(string digest) => (await MountAsync(digest, _source)).Expect(400, 202);

    private Task<Answer> MountAsync(string digest, string from)
        => Client.PostAsync($"/v2/{Repository}/blobs/uploads/?mount={digest}&from={from}");
}
