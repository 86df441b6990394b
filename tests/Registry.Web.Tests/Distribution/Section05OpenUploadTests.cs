using System.Text.RegularExpressions;

namespace Registry.Web.Tests.Distribution;

public sealed partial class Section05OpenUploadTests(RegistryFactory registry) : DistributionTests(registry)
{
    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uuid();

    [Fact(DisplayName = "5.1 Each upload has a Location of its own with a UUID in it")]
    public async Task Location()
    {
        var first = await Client.StartUploadAsync(Repository);
        var second = await Client.StartUploadAsync(Repository);

        Assert.Matches(Uuid(), first);
        Assert.NotEqual(Uuid().Match(first).Value, Uuid().Match(second).Value);
    }

    [Fact(DisplayName = "5.1 Location stays on the host the client used, and names the repository")]
    public async Task Location_is_usable()
        => Assert.StartsWith($"/v2/{Repository}/blobs/uploads/", PathOf(await Client.StartUploadAsync(Repository)),
            StringComparison.Ordinal);

    [Theory(DisplayName = "5.2 The digest is found among other parameters, in any order")]
    [InlineData("digest={0}")]
    [InlineData("digest={0}&_state=abc%3D%3D")]
    [InlineData("_state=abc%3D%3D&digest={0}")]
    [InlineData("a&b=&digest={0}&c=1")]
    public async Task Parameters(string query)
    {
        var blob = TestContent.Random(20);
        var location = await Client.StartUploadAsync(Repository);

        var put = await Client.PutAsync(RegistryClient.WithQuery(location,
            query.Replace("{0}", blob.Digest, StringComparison.Ordinal)), blob.Bytes);

        put.Expect(201);
        Assert.Equal(blob.Bytes, (await Client.GetAsync(BlobPath(blob.Digest))).Body);
    }

    [Theory(DisplayName = "5.3 The POST needs no Content-Length and no Content-Type")]
    [InlineData("Content-Length: 0")]
    [InlineData("Transfer-Encoding: chunked")]
    [InlineData("Content-Type: application/json")]
    [InlineData("X-Nothing: 0")]
    public async Task Bodiless_post(string header)
    {
        byte[] body = header.StartsWith("Transfer", StringComparison.Ordinal) ? "0\r\n\r\n"u8.ToArray() : [];

        (await RawHttp.SendAsync(Registry.Address, "POST", $"/v2/{Repository}/blobs/uploads/", [header],
            body))!.Expect(202);
    }

    [Fact(DisplayName = "5.3 The POST also works without the slash at its end")]
    public async Task Without_slash() => (await Client.PostAsync($"/v2/{Repository}/blobs/uploads")).Expect(202);

    [Fact(DisplayName = "5.4 OCI-Chunk-Min-Length is a number where there is a minimum, and absent where there is none")]
    public async Task Minimum_chunk()
    {
        var post = (await Client.PostAsync($"/v2/{Repository}/blobs/uploads/")).Expect(202);
        var minimum = post.Header("OCI-Chunk-Min-Length");
        var chunk = minimum is null ? 1 : int.Parse(minimum);
        var blob = TestContent.Random(2 * chunk + 1);

        var first = (await Client.PatchChunkAsync(post.Location, blob.Bytes, 0, chunk)).Expect(202);
        var second = (await Client.PatchChunkAsync(first.Location, blob.Bytes, chunk, chunk)).Expect(202);

        (await Client.CloseAsync(second.Location, blob.Digest, blob.Bytes[(2 * chunk)..])).Expect(201);
    }

    [Fact(DisplayName = "5.5 Uploading to a repository that does not exist yet creates it")]
    public async Task New_repository()
    {
        (await Client.GetAsync($"/v2/{Repository}/tags/list")).Expect(404);
        await Client.PushImageAsync(Repository, "v1");

        (await Client.GetAsync($"/v2/{Repository}/tags/list")).Expect(200);
    }

    [Theory(DisplayName = "5.6 digest-algorithm is taken for what the registry knows, and is 400 otherwise")]
    [InlineData("sha256", 202)]
    [InlineData("sha512", 202)]
    [InlineData("sha384", 400)]
    [InlineData("SHA256", 400)]
    [InlineData("blake3", 400)]
    public async Task Digest_algorithm(string algorithm, int status)
    {
        var answer = (await Client.PostAsync($"/v2/{Repository}/blobs/uploads/?digest-algorithm={algorithm}"))
            .Expect(status);

        if (status == 400)
            Assert.NotEmpty(answer.ErrorCodes());
    }

    [Theory(DisplayName = "5.6 A session can be closed with another algorithm than it was opened for")]
    [InlineData("", "sha512")]
    [InlineData("?digest-algorithm=sha512", "sha512")]
    [InlineData("?digest-algorithm=sha512", "sha256")]
    public async Task Other_algorithm(string query, string algorithm)
    {
        var blob = TestContent.Random(1000) with { Algorithm = algorithm };
        var location = (await Client.PostAsync($"/v2/{Repository}/blobs/uploads/{query}")).Expect(202).Location;
        location = (await Client.PatchAsync(location, blob.Bytes[..600])).Expect(202).Location;

        (await Client.CloseAsync(location, blob.Digest, blob.Bytes[600..])).Expect(201);

        Assert.Equal(blob.Bytes, (await Client.GetAsync(BlobPath(blob.Digest))).Expect(200).Body);
    }

    [Fact(DisplayName = "5.7 Docker-Upload-UUID, when sent, is the session in Location")]
    public async Task Upload_uuid()
    {
        var post = await Client.PostAsync($"/v2/{Repository}/blobs/uploads/");

        Assert.Equal(Uuid().Match(post.Location).Value, post.Header("Docker-Upload-UUID"));
        Assert.Equal("0-0", post.Header("Range"));
    }

    [Fact(DisplayName = "5.8 An unfinished upload times out")]
    public async Task Expiry()
    {
        await using var hasty = await RegistryFactory.StartAsync(("Uploads:Expiry", "00:00:03"));
        var location = await hasty.Client.StartUploadAsync(Repository);
        (await hasty.Client.GetAsync(location)).Expect(204);

        await Task.Delay(TimeSpan.FromSeconds(3.2));

        (await hasty.Client.GetAsync(location)).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await hasty.Client.PatchAsync(location, [1])).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await hasty.Client.CloseAsync(location, TestContent.Empty.Digest)).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
    }
}
