using Registry.Testing.Processes;

namespace Registry.Crash.Tests.Nodes;

/// <summary>Uploads whose requests come to one node after the other.</summary>
[Collection(nameof(Cluster))]
public sealed class SpreadUploadTests(Cluster cluster) : IAsyncLifetime
{
    private const int Mebi = 1 << 20;

    private readonly string _repository = $"team/{Guid.NewGuid():N}";
    private readonly RoundRobin _way = new(cluster.Addresses);

    public Task InitializeAsync() => cluster.ReviveAsync();

    public Task DisposeAsync()
    {
        _way.Dispose();
        return Task.CompletedTask;
    }

    // S3 takes parts from 5 MiB on; smaller ones have to wait for the next node somewhere.
    [ClusterTheory]
    [InlineData("sha256", 700_000, 100_000)]
    [InlineData("sha512", 700_000, 100_000)]
    [InlineData("sha256", 11 * Mebi, Mebi)]
    [InlineData("sha512", 11 * Mebi, Mebi)]
    [InlineData("sha256", 40 * Mebi, 7 * Mebi)]
    [InlineData("sha512", 40 * Mebi, 7 * Mebi)]
    [InlineData("sha256", 62 * Mebi, 20 * Mebi)]
    public async Task Each_chunk_may_go_to_another_node_and_the_end_to_yet_another_one(
        string algorithm, int length, int chunk)
    {
        var blob = new GeneratedContent(length + chunk, length, algorithm);
        using var client = new PlainClient(RoundRobin.Address, _way);

        var upload = await client.StartUploadAsync(_repository);
        for (long at = 0; at < length; at += chunk)
        {
            var size = Math.Min(chunk, length - at);
            upload = await client.AppendAsync(upload, PlainClient.Body(blob.Open(at, size), size), at);
            if (at % 3 == 0)
                Assert.Equal(at + size, (await client.AskOffsetAsync(upload)).Offset);
        }

        await client.CompleteAsync(upload, blob.Digest);

        Assert.All(_way.Served, served => Assert.True(served > 1));
        foreach (var node in cluster.Addresses)
        {
            using var reader = new PlainClient(node);
            Assert.Equal((blob.Digest, blob.Length), await reader.PullBlobAsync(_repository, blob.Digest));
        }
    }

    [ClusterFact]
    public async Task A_tag_that_one_node_has_confirmed_is_what_all_others_answer_at_once()
    {
        var clients = cluster.Addresses.Select(node => new PlainClient(node)).ToArray();
        var config = new GeneratedContent(1, 500);
        await clients[0].PushAsync(_repository, config, PushWay.Post);
        for (var round = 0; round < 30; round++)
        {
            var writer = clients[round % clients.Length];
            var layer = new GeneratedContent(round, 1000);
            await writer.PushAsync(_repository, layer, PushWay.Post);
            var manifest = PlainClient.Manifest(config, layer);
            await writer.PutManifestAsync(_repository, "latest", manifest);
            var digest = ImageLayout.DigestOf(manifest);
            foreach (var reader in clients.Where(client => client != writer))
            {
                Assert.Equal(manifest, await reader.PullManifestAsync(_repository, "latest"));
                Assert.Equal(manifest, await reader.PullManifestAsync(_repository, digest));
                Assert.Equal((layer.Digest, layer.Length), await reader.PullBlobAsync(_repository, layer.Digest));
            }
        }

        foreach (var client in clients)
            client.Dispose();
    }

    /// <summary>Nothing of what it answers has ever passed through it.</summary>
    [ClusterFact]
    public async Task A_node_that_was_just_started_answers_all_of_it_with_its_first_requests()
    {
        using var client = new PlainClient(RoundRobin.Address, _way);
        var image = new PlannedImage(
            _repository, "v1", PushWay.Put, new(1, 500), [new(2, 20_000), new(3, 9 * Mebi)]);
        await image.PushAsync(client, new PushLedger());
        var manifest = PlainClient.Manifest(image.Config, image.Layers);
        var upload = await client.StartUploadAsync(_repository);
        upload = await client.AppendAsync(upload, PlainClient.Body(image.Config.Open(0, 100), 100), at: 0);

        await using var cold = await cluster.StartAsync("cold");
        using var reader = new PlainClient(cold.Address);

        Assert.Equal(manifest, await reader.PullManifestAsync(_repository, "v1"));
        Assert.Equal(manifest, await reader.PullManifestAsync(_repository, ImageLayout.DigestOf(manifest)));
        foreach (var blob in (GeneratedContent[])[image.Config, .. image.Layers])
            Assert.Equal((blob.Digest, blob.Length), await reader.PullBlobAsync(_repository, blob.Digest));
        Assert.Equal(["v1"], await reader.ListTagsAsync(_repository));
        Assert.Equal(100, (await reader.AskOffsetAsync(new Uri(cold.Address, upload.PathAndQuery))).Offset);
        Assert.Empty(cluster.KeptByNodes);
    }
}
