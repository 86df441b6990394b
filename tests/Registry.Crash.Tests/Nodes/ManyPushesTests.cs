using System.Diagnostics;
using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests.Nodes;

/// <summary>A build farm's evening: many images for several architectures, all at once.</summary>
[Collection(nameof(Cluster))]
public sealed class ManyPushesTests(Cluster cluster, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Pushes = 500;
    private const int Connections = 64;

    private static readonly string[] Architectures = ["amd64", "arm64", "riscv64"];

    private readonly string _project = $"farm/{Guid.NewGuid():N}";
    private readonly RoundRobin _way = new(cluster.Addresses, Connections);
    private readonly GeneratedContent _base = new(-1, 100_000);

    public Task InitializeAsync() => cluster.ReviveAsync();

    public Task DisposeAsync()
    {
        _way.Dispose();
        return Task.CompletedTask;
    }

    [ClusterFact]
    public async Task Five_hundred_pushes_for_three_architectures_at_once_cost_no_5xx_and_all_of_it_reads_back()
    {
        using var client = new PlainClient(RoundRobin.Address, _way);
        var clock = Stopwatch.StartNew();
        var pushed = await Task.WhenAll(Enumerable.Range(0, Pushes).Select(number => PushAsync(client, number)));
        var (pushing, requests) = (clock.Elapsed, _way.Served.Sum());
        Assert.Empty(_way.Faults);
        Assert.All(_way.Served, served => Assert.True(served > requests / 4, "The load was not spread."));

        clock.Restart();
        await Task.WhenAll(pushed.Select(index => ExpectAsync(client, index)));
        Assert.Empty(_way.Faults);
        foreach (var repository in pushed.GroupBy(index => index.Repository))
            Assert.Equal(repository.Select(index => index.Tag).ToHashSet(), await client.ListTagsAsync(repository.Key));

        output.WriteLine(
            $"measured: {Pushes} pushes of {Architectures.Length} architectures at once to 3 nodes over {Connections} connections: "
            + $"{requests} requests in {pushing.TotalSeconds:0.0} s, read back in {clock.Elapsed.TotalSeconds:0.0} s");
    }

    private async Task<PushedIndex> PushAsync(PlainClient client, int number)
    {
        var repository = $"{_project}/app{number % 20}";
        var way = (PushWay)(number % 4);
        var images = await Task.WhenAll(Architectures.Select(async (_, which) =>
        {
            var seed = (number * 100) + (which * 10);
            // Now and then a layer that is more than one part.
            var layer = new GeneratedContent(seed, number % 100 == 7 && which == 0 ? 9_000_000 : 3000 + (number * 37));
            var config = new GeneratedContent(seed + 1, 800);
            // As clients do; the first ones of each repository all find that it is missing, and push it at once.
            if (!await client.HasBlobAsync(repository, _base.Digest))
                await client.PushAsync(repository, _base, way);
            await client.PushAsync(repository, layer, way);
            await client.PushAsync(repository, config, way);
            var manifest = PlainClient.Manifest(config, _base, layer);
            await client.PutManifestAsync(repository, ImageLayout.DigestOf(manifest), manifest);
            return new PushedImage(manifest, [config, layer]);
        }));
        var index = PlainClient.Index([.. Architectures.Zip(images, (architecture, image) => (architecture, image.Manifest))]);
        await client.PutManifestAsync(repository, $"v{number}", index, PlainClient.ImageIndex);
        return new PushedIndex(repository, $"v{number}", index, images);
    }

    private async Task ExpectAsync(PlainClient client, PushedIndex index)
    {
        Assert.Equal(index.Bytes, await client.PullManifestAsync(index.Repository, index.Tag));
        foreach (var image in index.Images)
        {
            var digest = ImageLayout.DigestOf(image.Manifest);
            Assert.Equal(image.Manifest, await client.PullManifestAsync(index.Repository, digest));
            foreach (var blob in image.Blobs)
                Assert.Equal((blob.Digest, blob.Length), await client.PullBlobAsync(index.Repository, blob.Digest));
        }

        Assert.Equal((_base.Digest, _base.Length), await client.PullBlobAsync(index.Repository, _base.Digest));
    }

    private sealed record PushedImage(byte[] Manifest, GeneratedContent[] Blobs);

    private sealed record PushedIndex(string Repository, string Tag, byte[] Bytes, PushedImage[] Images);
}
