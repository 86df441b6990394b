using Registry.Testing.Processes;

namespace Registry.Web.Tests.Stores;

/// <summary>
/// The way to the S3 server fails: clients are told so in the protocol's own form, nothing is half stored, what was
/// stored stays, and the same request succeeds once all is well.
/// </summary>
[Trait(Backend.Trait, Backend.Own)]
[Collection(nameof(ShortTimeouts))]
public sealed class S3FaultTests : IAsyncLifetime
{
    private const int Mebi = 1 << 20;

    private readonly TestContent _kept = TestContent.Random(11 * Mebi);
    private readonly TestContent _blob = TestContent.Random(12 * Mebi);
    private FaultyProxy _way = null!;
    private RegistryFactory _registry = null!;

    private RegistryClient Client => _registry.Client;

    public async Task InitializeAsync()
    {
        if (S3Server.ReasonToSkip is not null)
            return;
        _way = new(SharedS3.Server.Address);
        _registry = await RegistryFactory.StartAsync(
            [.. SharedS3.StoreSettings(address: _way.Address), ("Stores:default:Timeout", "00:00:01")]);
        await Client.PushBlobAsync("app", _kept);
    }

    public async Task DisposeAsync()
    {
        if (_registry is null)
            return;
        await _registry.DisposeAsync();
        await _way.DisposeAsync();
    }

    public static TheoryData<Fault, string> Outages => new()
    {
        { Fault.Refused, "unreachable" },
        { Fault.Reset, "unreachable" },
        { Fault.Silent, "timeout" },
        { Fault.SlowDown, "throttled" },
        { Fault.CutUp, "unreachable" },
    };

    [S3Theory]
    [MemberData(nameof(Outages))]
    public async Task A_whole_blob_in_one_request(Fault fault, string cause)
    {
        var path = $"/v2/app/blobs/uploads/?digest={_blob.Digest}";
        _way.Fail(fault);
        ExpectUnavailable(await PostAsync(), cause);
        _way.Heal();
        (await Client.HeadAsync($"/v2/app/blobs/{_blob.Digest}")).Expect(404);
        (await PostAsync()).Expect(201);
        await NothingIsLostAsync();

        Task<Answer> PostAsync() => Client.PostAsync(path, _blob.Bytes, ("Content-Type", "application/octet-stream"));
    }

    [S3Theory]
    [MemberData(nameof(Outages))]
    public async Task A_chunk(Fault fault, string cause)
    {
        var location = await Client.StartUploadAsync("app");
        (await Client.PatchChunkAsync(location, _blob.Bytes, 0, Mebi)).Expect(202);
        _way.Fail(fault);
        ExpectUnavailable(await Client.PatchChunkAsync(location, _blob.Bytes, Mebi, 10 * Mebi), cause);
        // The session stands where it stood, and says so.
        (await Client.GetAsync(location)).Expect(204).ExpectHeader("Range", $"0-{Mebi - 1}");
        _way.Heal();
        (await Client.PatchChunkAsync(location, _blob.Bytes, Mebi, 10 * Mebi)).Expect(202);
        (await Client.CloseAsync(location, _blob.Digest, _blob.Bytes[(11 * Mebi)..])).Expect(201);
        await NothingIsLostAsync();
    }

    [S3Theory]
    [MemberData(nameof(Outages))]
    public async Task The_end_of_an_upload(Fault fault, string cause)
    {
        var location = await Client.StartUploadAsync("app");
        (await Client.PatchChunkAsync(location, _blob.Bytes, 0, 9 * Mebi)).Expect(202);
        _way.Fail(fault);
        ExpectUnavailable(await Client.CloseAsync(location, _blob.Digest, _blob.Bytes[(9 * Mebi)..]), cause);
        (await Client.HeadAsync($"/v2/app/blobs/{_blob.Digest}")).Expect(404);
        _way.Heal();
        (await Client.CloseAsync(location, _blob.Digest, _blob.Bytes[(9 * Mebi)..])).Expect(201);
        await NothingIsLostAsync();
    }

    [S3Theory]
    [InlineData(Fault.Refused, "unreachable")]
    [InlineData(Fault.Reset, "unreachable")]
    [InlineData(Fault.Silent, "timeout")]
    [InlineData(Fault.SlowDown, "throttled")]
    public async Task A_pull(Fault fault, string cause)
    {
        _way.Fail(fault);
        var path = $"/v2/app/blobs/{_kept.Digest}";
        ExpectUnavailable(await Client.GetAsync(path), cause);
        ExpectUnavailable(await Client.GetAsync(path, ("Range", "bytes=5-9")), cause);
        (await Client.HeadAsync(path)).Expect(200); // the row says so, and is not marked as missing
        _way.Heal();
        Assert.Equal(_kept.Bytes, (await Client.GetAsync(path)).Expect(200).Body);
    }

    [S3Fact]
    public async Task A_pull_whose_connection_breaks_goes_on_where_it_broke()
    {
        _way.Fail(Fault.CutDown, times: 3);
        Assert.Equal(_kept.Bytes, (await Client.GetAsync($"/v2/app/blobs/{_kept.Digest}")).Expect(200).Body);
        _way.Fail(Fault.CutDown, times: 1);
        var part = await Client.GetAsync($"/v2/app/blobs/{_kept.Digest}", ("Range", $"bytes=7-{10 * Mebi}"));
        Assert.Equal(_kept.Bytes[7..((10 * Mebi) + 1)], part.Expect(206).Body);
    }

    [S3Fact]
    public async Task A_pull_that_cannot_go_on_never_ends_as_if_it_were_whole()
    {
        using var http = new HttpClient { BaseAddress = _registry.Address };
        using var answer = await http.GetAsync($"/v2/app/blobs/{_kept.Digest}", HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1000]);
        _way.Fail(Fault.Refused);
        await Assert.ThrowsAnyAsync<Exception>(() => body.CopyToAsync(Stream.Null));
        _way.Heal();
        await NothingIsLostAsync();
    }

    [S3Theory]
    [InlineData(Fault.Reset)]
    [InlineData(Fault.SlowDown)]
    [InlineData(Fault.CutUp)]
    public async Task What_passes_soon_is_not_noticed(Fault fault)
    {
        _way.Fail(fault, times: 1);
        await Client.PushBlobAsync("app", _blob);
        await NothingIsLostAsync();
        Assert.Equal(_blob.Bytes, (await Client.GetAsync($"/v2/app/blobs/{_blob.Digest}")).Expect(200).Body);
    }

    [S3Fact]
    public async Task Manifests_need_no_store_and_are_copied_to_it_later()
    {
        var image = (await Client.NewImageAsync("app")).Build();
        _way.Fail(Fault.Refused);
        (await Client.PutManifestAsync("app", "v1", image)).Expect(201);
        Assert.Equal(image.Bytes, (await Client.GetAsync("/v2/app/manifests/v1")).Expect(200).Body);
        (await Client.GetAsync("/healthz/live")).Expect(200);
        var ready = (await Client.GetAsync("/healthz/ready")).Expect(503);
        Assert.Contains("store 'default' cannot be used", ready.Text, StringComparison.Ordinal);
        _way.Heal();
        (await Client.GetAsync("/healthz/ready")).Expect(200);
    }

    [S3Fact]
    public async Task An_outage_of_the_server_itself_loses_nothing()
    {
        await using var server = await S3Server.StartAsync(); // its own: the others go on with theirs
        await using var registry = await RegistryFactory.StartAsync(
            [.. server.Settings("outage").Select(setting => ($"Stores:default:{setting.Key}", setting.Value))]);
        var client = registry.Client;
        await client.PushBlobAsync("app", _kept);
        var location = await client.StartUploadAsync("app");
        (await client.PatchChunkAsync(location, _blob.Bytes, 0, 9 * Mebi)).Expect(202);
        server.KillGateway();
        ExpectUnavailable(await client.PatchChunkAsync(location, _blob.Bytes, 9 * Mebi, 3 * Mebi), "unreachable");
        ExpectUnavailable(await client.GetAsync($"/v2/app/blobs/{_kept.Digest}"), "unreachable");

        await server.ResumeAsync();

        (await client.PatchChunkAsync(location, _blob.Bytes, 9 * Mebi, 3 * Mebi)).Expect(202);
        (await client.CloseAsync(location, _blob.Digest)).Expect(201);
        Assert.Equal(_kept.Bytes, (await client.GetAsync($"/v2/app/blobs/{_kept.Digest}")).Expect(200).Body);
        Assert.Equal(_blob.Bytes, (await client.GetAsync($"/v2/app/blobs/{_blob.Digest}")).Expect(200).Body);
    }

    private static void ExpectUnavailable(Answer answer, string cause)
    {
        answer.Expect(503).ExpectHeader("Retry-After", "5").ExpectHeader("Content-Type", "application/json");
        var error = answer.Json.GetProperty("errors")[0];
        Assert.Equal("UNAVAILABLE", error.GetProperty("code").GetString());
        Assert.Contains("store 'default'", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(cause, error.GetProperty("detail").GetProperty("cause").GetString());
        Assert.Equal(answer.Header("X-Request-Id"), error.GetProperty("detail").GetProperty("requestId").GetString());
    }

    private async Task NothingIsLostAsync()
        => Assert.Equal(_kept.Bytes, (await Client.GetAsync($"/v2/app/blobs/{_kept.Digest}")).Expect(200).Body);
}

/// <summary>Tests in which the server has a second to answer: they run alone, so that nobody else keeps it busy.</summary>
[CollectionDefinition(nameof(ShortTimeouts), DisableParallelization = true)]
public sealed class ShortTimeouts;
