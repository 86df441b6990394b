namespace Registry.Web.Tests.Stores;

/// <summary>The same walk through the API, whichever kind of store the blobs are in.</summary>
[Collection(nameof(S3Servers))]
public sealed class StoreSmokeTests(S3ServerFixture fixture)
{
    private const int Mebi = 1 << 20;

    [Fact]
    public async Task A_registry_on_a_folder()
    {
        await using var registry = await RegistryFactory.StartAsync();
        await SmokeAsync(registry.Client);
    }

    [S3Fact]
    public async Task A_registry_on_S3()
    {
        await using var registry = await fixture.StartRegistryAsync();
        await SmokeAsync(registry.Client);
        (await registry.Client.GetAsync("/healthz/ready")).Expect(200);
    }

    [S3Fact]
    public async Task Registries_of_one_server_may_have_stores_of_different_kinds_and_a_mount_between_them_becomes_an_upload()
    {
        await using var registry = await RegistryFactory.StartAsync(
            [.. fixture.StoreSettings("cloud"), ("Stores:default:Kind", "FileSystem"), ("Registries:cloud:Path", "cloud"), ("Registries:cloud:Store", "cloud")]);
        var client = registry.Client;
        var blob = await client.PushBlobAsync("here/app", TestContent.Random(1000));

        (await client.PostAsync($"/v2/cloud/app/blobs/uploads/?mount={blob.Digest}&from=here/app")).Expect(202);
        (await client.HeadAsync($"/v2/cloud/app/blobs/{blob.Digest}")).Expect(404);
        await client.PushBlobAsync("cloud/app", blob);
        Assert.Equal(blob.Bytes, (await client.GetAsync($"/v2/cloud/app/blobs/{blob.Digest}")).Expect(200).Body);
        (await client.PostAsync($"/v2/cloud/other/blobs/uploads/?mount={blob.Digest}&from=cloud/app")).Expect(201);
    }

    [S3Fact]
    public async Task An_upload_can_be_continued_by_another_node_of_the_same_store_after_a_restart()
    {
        using var data = new TemporaryFolder();
        var settings = fixture.StoreSettings("default").Append(("Data", data.Path)).ToArray();
        var blob = TestContent.Random(13 * Mebi);
        string location;
        await using (var first = await RegistryFactory.StartAsync(settings))
        {
            location = await first.Client.StartUploadAsync("app");
            (await first.Client.PatchChunkAsync(location, blob.Bytes, 0, 9 * Mebi)).Expect(202);
        }

        await using var second = await RegistryFactory.StartAsync(settings);
        (await second.Client.GetAsync(location)).Expect(204).ExpectHeader("Range", $"0-{(9 * Mebi) - 1}");
        (await second.Client.PatchChunkAsync(location, blob.Bytes, 9 * Mebi, 4 * Mebi)).Expect(202);
        (await second.Client.CloseAsync(location, blob.Digest)).Expect(201);
        Assert.Equal(blob.Bytes, (await second.Client.GetAsync($"/v2/app/blobs/{blob.Digest}")).Expect(200).Body);
    }

    private static async Task SmokeAsync(RegistryClient client)
    {
        var (small, large, whole) = (TestContent.Random(2000), TestContent.Random((17 * Mebi) + 1), TestContent.Random(300_000));

        // POST, PATCH, PUT: as docker does
        var location = await client.StartUploadAsync("smoke/app");
        (await client.PatchAsync(location, small.Bytes)).Expect(202).ExpectHeader("Range", "0-1999");
        (await client.CloseAsync(location, small.Digest)).Expect(201);

        // chunks, one of them twice, and the last one with the end
        location = await client.StartUploadAsync("smoke/app");
        (await client.PatchChunkAsync(location, large.Bytes, 0, 6 * Mebi)).Expect(202);
        (await client.PatchChunkAsync(location, large.Bytes, 0, 6 * Mebi)).Expect(416);
        (await client.PatchChunkAsync(location, large.Bytes, 6 * Mebi, Mebi)).Expect(202);
        (await client.GetAsync(location)).Expect(204).ExpectHeader("Range", $"0-{(7 * Mebi) - 1}");
        (await client.CloseAsync(location, small.Digest, large.Bytes[(7 * Mebi)..])).Expect(400);
        (await client.CloseAsync(location, large.Digest, large.Bytes[(7 * Mebi)..])).Expect(201);
        (await client.GetAsync(location)).Expect(404);

        (await client.PostAsync($"/v2/smoke/app/blobs/uploads/?digest={whole.Digest}", whole.Bytes, ("Content-Type", "application/octet-stream"))).Expect(201);
        (await client.PostAsync($"/v2/smoke/app/blobs/uploads/?digest={small.Digest}", whole.Bytes, ("Content-Type", "application/octet-stream"))).Expect(400);
        location = await client.StartUploadAsync("smoke/app");
        (await client.PatchAsync(location, small.Bytes)).Expect(202);
        (await client.DeleteAsync(location)).Expect(204);
        (await client.PatchAsync(location, small.Bytes)).Expect(404);

        foreach (var blob in new[] { small, large, whole, await client.PushBlobAsync("smoke/app", TestContent.Empty) })
        {
            var path = $"/v2/smoke/app/blobs/{blob.Digest}";
            (await client.HeadAsync(path)).Expect(200).ExpectHeader("Content-Length", $"{blob.Bytes.Length}");
            Assert.Equal(blob.Bytes, (await client.GetAsync(path)).Expect(200).Body);
        }

        var part = (await client.GetAsync($"/v2/smoke/app/blobs/{large.Digest}", ("Range", $"bytes={9 * Mebi}-{12 * Mebi}"))).Expect(206);
        Assert.Equal(large.Bytes[(9 * Mebi)..((12 * Mebi) + 1)], part.Body);
        var end = (await client.GetAsync($"/v2/smoke/app/blobs/{large.Digest}", ("Range", "bytes=-5"))).Expect(206);
        Assert.Equal(large.Bytes[^5..], end.Body);
        (await client.GetAsync($"/v2/smoke/app/blobs/{large.Digest}", ("Range", $"bytes={large.Bytes.Length}-"))).Expect(416);

        (await client.PostAsync($"/v2/smoke/other/blobs/uploads/?mount={large.Digest}&from=smoke/app")).Expect(201);
        Assert.Equal(large.Bytes, (await client.GetAsync($"/v2/smoke/other/blobs/{large.Digest}")).Expect(200).Body);

        var manifest = await client.PushImageAsync("smoke/app", "v1");
        Assert.Equal(manifest.Bytes, (await client.GetAsync("/v2/smoke/app/manifests/v1")).Expect(200).Body);
        (await client.DeleteAsync($"/v2/smoke/app/manifests/{manifest.Digest}")).Expect(202);
        (await client.GetAsync("/v2/smoke/app/manifests/v1")).Expect(404);
        (await client.DeleteAsync($"/v2/smoke/app/blobs/{large.Digest}")).Expect(202);
        (await client.GetAsync($"/v2/smoke/app/blobs/{large.Digest}")).Expect(404);
        (await client.GetAsync($"/v2/smoke/other/blobs/{large.Digest}")).Expect(200);
    }
}
