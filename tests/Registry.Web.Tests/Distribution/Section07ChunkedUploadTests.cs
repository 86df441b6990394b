namespace Registry.Web.Tests.Distribution;

public sealed class Section07ChunkedUploadTests(RegistryFactory registry) : DistributionTests(registry)
{
    private readonly TestContent _blob = TestContent.Random(30_000);

    [Fact(DisplayName = "7.1 Chunks with bare Content-Range numbers make up the blob")]
    public async Task Chunks()
    {
        var location = await Client.StartUploadAsync(Repository);
        for (var start = 0; start < 30_000; start += 10_000)
            location = (await Client.PatchChunkAsync(location, _blob.Bytes, start, 10_000)).Expect(202).Location;

        (await Client.CloseAsync(location, _blob.Digest)).Expect(201);

        Assert.Equal(_blob.Bytes, (await Client.GetAsync(BlobPath(_blob.Digest))).Expect(200).Body);
    }

    [Fact(DisplayName = "7.2 The first chunk must start at 0")]
    public async Task First_chunk()
    {
        var location = await Client.StartUploadAsync(Repository);

        (await Client.PatchChunkAsync(location, _blob.Bytes, 1, 100)).ExpectError(416, "BLOB_UPLOAD_INVALID");
        (await Client.PatchChunkAsync(location, _blob.Bytes, 0, 100)).Expect(202);
    }

    [Fact(DisplayName = "7.3 An accepted chunk is 202 with Location and the position of the last byte")]
    public async Task Accepted()
    {
        var first = (await Client.PatchChunkAsync(await Client.StartUploadAsync(Repository), _blob.Bytes, 0, 10_000))
            .Expect(202).ExpectHeader("Range", "0-9999");

        (await Client.PatchChunkAsync(first.Location, _blob.Bytes, 10_000, 1)).Expect(202)
            .ExpectHeader("Range", "0-10000");
    }

    [Theory(DisplayName = "7.4 A gap, an overlap or a repetition is 416, stores nothing and leaves the session open")]
    [InlineData(10_001)]
    [InlineData(9_999)]
    [InlineData(0)]
    [InlineData(20_000)]
    public async Task Out_of_order(int start)
    {
        var opened = await Client.StartUploadAsync(Repository);
        var location = (await Client.PatchChunkAsync(opened, _blob.Bytes, 0, 10_000)).Expect(202).Location;

        (await Client.PatchChunkAsync(location, _blob.Bytes, start, 10_000)).ExpectError(416, "BLOB_UPLOAD_INVALID");
        (await Client.PatchChunkAsync(opened, _blob.Bytes, start, 10_000)).ExpectError(416, "BLOB_UPLOAD_INVALID");
        (await Client.GetAsync(location)).Expect(204).ExpectHeader("Range", "0-9999");

        (await Client.CloseAsync(location, _blob.Digest, _blob.Bytes[10_000..])).Expect(201);
        Assert.Equal(_blob.Bytes, (await Client.GetAsync(BlobPath(_blob.Digest))).Expect(200).Body);
    }

    [Fact(DisplayName = "7.5 A last chunk in the PUT that is out of order is 416, and the session stays open")]
    public async Task Out_of_order_close()
    {
        var location =
            (await Client.PatchChunkAsync(await Client.StartUploadAsync(Repository), _blob.Bytes, 0, 10_000))
            .Expect(202).Location;

        (await Client.CloseAsync(location, _blob.Digest, _blob.Bytes[10_000..], ("Content-Range", "10001-30000")))
            .ExpectError(416, "BLOB_UPLOAD_INVALID");
        (await Client.CloseAsync(location, _blob.Digest, _blob.Bytes[10_000..], ("Content-Range", "0-19999")))
            .ExpectError(416, "BLOB_UPLOAD_INVALID");
        (await Client.GetAsync(location)).Expect(204).ExpectHeader("Range", "0-9999");

        (await Client.CloseAsync(location, _blob.Digest, _blob.Bytes[10_000..], ("Content-Range", "10000-29999")))
            .Expect(201);
        Assert.Equal(_blob.Bytes, (await Client.GetAsync(BlobPath(_blob.Digest))).Expect(200).Body);
    }

    [Fact(DisplayName = "7.6 The Location of the POST keeps working after later PATCHes")]
    public async Task Earlier_location()
    {
        var opened = await Client.StartUploadAsync(Repository);
        (await Client.PatchChunkAsync(opened, _blob.Bytes, 0, 10_000)).Expect(202);

        (await Client.GetAsync(opened)).Expect(204).ExpectHeader("Range", "0-9999");
        (await Client.PatchChunkAsync(opened, _blob.Bytes, 0, 10_000)).Expect(416);
        (await Client.PatchChunkAsync(opened, _blob.Bytes, 10_000, 20_000)).Expect(202);
        (await Client.CloseAsync(opened, _blob.Digest)).Expect(201);
    }

    [Theory(DisplayName = "7.7 A malformed Content-Range, or one that differs from the body's length, is 4xx and never stored")]
    [InlineData("bytes 0-99/100")]
    [InlineData("bytes=0-99")]
    [InlineData("0-99/100")]
    [InlineData("99-0")]
    [InlineData("0-98")]
    [InlineData("0-100")]
    [InlineData("-1-99")]
    [InlineData("0")]
    [InlineData("-")]
    [InlineData("0-")]
    [InlineData("a-b")]
    [InlineData(" 0 - 99 ")]
    [InlineData("0-99999999999999999999999999999")]
    [InlineData("9223372036854775807-9223372036854775808")]
    [InlineData("٠-٩٩")]
    public async Task Bad_content_range(string range)
    {
        var location = PathOf(await Client.StartUploadAsync(Repository));
        var ascii = range.All(char.IsAscii);
        var line = ascii ? $"Content-Range: {range}"
            : $"Content-Range: {new string([.. System.Text.Encoding.UTF8.GetBytes(range).Select(b => (char)b)])}";

        var patch =
            (await RawHttp.SendAsync(Registry.Address, "PATCH", location, [line, "Content-Length: 100"],
            _blob.Bytes[..100]))!.Expect(400, 416);
        var put = (await RawHttp.SendAsync(
            Registry.Address, "PUT", RegistryClient.WithQuery(location, $"digest={_blob.Digest}"),
                [line, "Content-Length: 100"], _blob.Bytes[..100]))!.Expect(400, 416);

        if (ascii)
        {
            Assert.NotEmpty(patch.ErrorCodes());
            Assert.NotEmpty(put.ErrorCodes());
        }

        (await Client.GetAsync(location)).Expect(204).ExpectHeader("Range", "0-0");
        (await Client.CloseAsync(location, _blob.Digest, _blob.Bytes)).Expect(201);
    }

    [Fact(DisplayName = "7.7 A chunked body of another length than its Content-Range is not stored")]
    public async Task Chunked_length_differs()
    {
        var location = await Client.StartUploadAsync(Repository);

        (await Client.PatchAsync(location, _blob.Bytes[..100], ("Content-Range", "0-149"),
            ("Transfer-Encoding", "chunked"))).Expect(400, 416);
        (await Client.PatchAsync(location, _blob.Bytes[..100], ("Content-Range", "0-49"),
            ("Transfer-Encoding", "chunked"))).Expect(400, 416);

        (await Client.GetAsync(location)).Expect(204).ExpectHeader("Range", "0-0");
        (await Client.CloseAsync(location, _blob.Digest, _blob.Bytes)).Expect(201);
    }

    [Theory(DisplayName = "7.8 A PATCH without Content-Range appends its whole body")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream(bool chunked)
    {
        (string, string)[] headers = chunked ? [("Transfer-Encoding", "chunked")] : [];
        var first = (await Client.PatchAsync(await Client.StartUploadAsync(Repository), _blob.Bytes[..20_000], headers))
            .Expect(202).ExpectHeader("Range", "0-19999");
        var second = (await Client.PatchAsync(first.Location, _blob.Bytes[20_000..], headers)).Expect(202)
            .ExpectHeader("Range", "0-29999");

        (await Client.CloseAsync(second.Location, _blob.Digest)).Expect(201);

        Assert.Equal(_blob.Bytes, (await Client.GetAsync(BlobPath(_blob.Digest))).Expect(200).Body);
    }

    [Theory(DisplayName = "7.9 The session is closed with the last chunk, with Content-Length 0 or with no body at all")]
    [InlineData("last chunk")]
    [InlineData("Content-Length: 0")]
    [InlineData("Accept: */*")]
    public async Task Closing(string form)
    {
        var sent = form == "last chunk" ? 12_345 : 30_000;
        var location = (await Client.PatchAsync(await Client.StartUploadAsync(Repository), _blob.Bytes[..sent]))
            .Expect(202).Location;
        var target = RegistryClient.WithQuery(PathOf(location), $"digest={_blob.Digest}");

        var put = form == "last chunk"
            ? await Client.PutAsync(target, _blob.Bytes[sent..])
            : await RawHttp.SendAsync(Registry.Address, "PUT", target, [form]);

        Assert.Equal(BlobPath(_blob.Digest), PathOf(put!.Expect(201).Location));
        Assert.Equal(_blob.Bytes, (await Client.GetAsync(put.Location)).Expect(200).Body);
    }

    [Fact(DisplayName = "7.10 The status of an open session is 204 with Location and Range")]
    public async Task Status()
    {
        var location = (await Client.PatchAsync(await Client.StartUploadAsync(Repository), _blob.Bytes[..500]))
            .Expect(202).Location;

        var status = (await Client.GetAsync(location)).Expect(204).ExpectHeader("Range", "0-499");

        (await Client.PatchChunkAsync(status.Location, _blob.Bytes, 500, 500)).Expect(202)
            .ExpectHeader("Range", "0-999");
    }

    [Fact(DisplayName = "7.11 The status before the first byte is 0-0")]
    public async Task Status_of_nothing()
        => (await Client.GetAsync(await Client.StartUploadAsync(Repository))).Expect(204).ExpectHeader("Range", "0-0");

    [Theory(DisplayName = "7.12 A session that is unknown, finished, cancelled or of another repository is 404")]
    [InlineData("unknown")]
    [InlineData("malformed")]
    [InlineData("finished")]
    [InlineData("cancelled")]
    [InlineData("other")]
    public async Task Gone(string kind)
    {
        var location = PathOf(await Client.StartUploadAsync(Repository));
        if (kind == "finished")
            (await Client.CloseAsync(location, _blob.Digest, _blob.Bytes)).Expect(201);
        else if (kind == "cancelled")
            (await Client.DeleteAsync(location)).Expect(204);
        else if (kind == "other")
            location = location.Replace(Repository, RegistryFactory.NewRepository(), StringComparison.Ordinal);
        else
            location = $"/v2/{Repository}/blobs/uploads/{(kind == "unknown" ? $"{Guid.NewGuid()}" : "no-session")}";

        (await Client.GetAsync(location)).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await Client.PatchAsync(location, [1])).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await Client.CloseAsync(location, _blob.Digest, _blob.Bytes)).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await Client.DeleteAsync(location)).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
    }

    [Fact(DisplayName = "7.13 After a close with the wrong digest no blob is there, and the session is open or gone")]
    public async Task Failed_close()
    {
        var location = (await Client.PatchAsync(await Client.StartUploadAsync(Repository), _blob.Bytes))
            .Expect(202).Location;

        (await Client.CloseAsync(location, UnknownDigest)).ExpectError(400, "DIGEST_INVALID");

        (await Client.GetAsync(BlobPath(UnknownDigest))).Expect(404);
        (await Client.GetAsync(BlobPath(_blob.Digest))).Expect(404);
        if ((await Client.GetAsync(location)).Expect(204, 404).Status == 204)
        {
            (await Client.CloseAsync(location, _blob.Digest)).Expect(201);
            Assert.Equal(_blob.Bytes, (await Client.GetAsync(BlobPath(_blob.Digest))).Expect(200).Body);
        }
    }

    [Fact(DisplayName = "7.14 An upload is cancelled by DELETE: 204, and the session is gone")]
    public async Task Cancel()
    {
        var location = (await Client.PatchAsync(await Client.StartUploadAsync(Repository), _blob.Bytes))
            .Expect(202).Location;

        (await RawHttp.SendAsync(Registry.Address, "DELETE", PathOf(location), ["Content-Length: 0"]))!.Expect(204);

        (await Client.GetAsync(location)).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await Client.GetAsync(BlobPath(_blob.Digest))).Expect(404);
    }

    [Fact(DisplayName = "7.15 A 416 says where to go on")]
    public async Task Going_on()
    {
        var location = (await Client.PatchChunkAsync(await Client.StartUploadAsync(Repository), _blob.Bytes, 0, 500))
            .Expect(202).Location;

        var refused = (await Client.PatchChunkAsync(location, _blob.Bytes, 600, 100)).Expect(416)
            .ExpectHeader("Range", "0-499");

        (await Client.PatchChunkAsync(refused.Location, _blob.Bytes, 500, 29_500)).Expect(202)
            .ExpectHeader("Range", "0-29999");
    }

    [Fact(DisplayName = "7.8 A stream that breaks off can be gone on with from where the status says")]
    public async Task Resume()
    {
        var location = PathOf(await Client.StartUploadAsync(Repository));

        await RawHttp.SendAsync(Registry.Address, "PATCH", location, ["Content-Length: 30000"], _blob.Bytes[..7000],
            finish: true);

        // The connection may be closed before the server has kept what came over it: then a status asked for at once
        // is from before, the rest is refused, and the client asks again.
        Answer sent;
        var tries = 0;
        do
        {
            var range = (await Client.GetAsync(location)).Expect(204).Header("Range")!;
            var offset = range == "0-0" ? 0 : int.Parse(range[2..]) + 1;
            sent = (await Client.PatchChunkAsync(location, _blob.Bytes, offset, 30_000 - offset)).Expect(202, 416);
        }
        while (sent.Status == 416 && ++tries < 5);
        sent.Expect(202);

        (await Client.CloseAsync(location, _blob.Digest)).Expect(201);
        Assert.Equal(_blob.Bytes, (await Client.GetAsync(BlobPath(_blob.Digest))).Expect(200).Body);
    }
}
