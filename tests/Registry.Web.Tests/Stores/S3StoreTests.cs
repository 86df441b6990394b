using Registry.Testing.Processes;

namespace Registry.Web.Tests.Stores;

/// <summary>What a registry can do with a store in S3 that it cannot with a folder.</summary>
[Trait(Backend.Trait, Backend.Own)]
public sealed class S3StoreTests
{
    private const int Mebi = 1 << 20;

    [S3Fact]
    public async Task Registries_of_one_server_may_have_stores_of_different_kinds_and_a_mount_between_them_becomes_an_upload()
    {
        await using var registry = await RegistryFactory.StartAsync(
            [.. SharedS3.StoreSettings("cloud"), ("Stores:default:Kind", "FileSystem"), ("Registries:cloud:Path", "cloud"), ("Registries:cloud:Store", "cloud")]);
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
        var settings = SharedS3.StoreSettings().Append(("Data", data.Path)).ToArray();
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
}
