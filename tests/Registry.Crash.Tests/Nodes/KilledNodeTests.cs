using System.Diagnostics;
using System.Net.Sockets;
using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests.Nodes;

/// <summary>kill -9 of a node in the middle of pushes.</summary>
[Collection(nameof(Cluster))]
public sealed class KilledNodeTests(Cluster cluster, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Writers = 12;

    private readonly string _repository = $"team/{Guid.NewGuid():N}";
    private readonly RoundRobin _way = new(cluster.Addresses);
    private readonly PushLedger _ledger = new();
    private int _seed = Random.Shared.Next(1 << 24);
    private int _interrupted;

    private int Confirmed => _ledger.Manifests.Values.Count(manifest => manifest.Accepted);

    public Task InitializeAsync() => cluster.ReviveAsync();

    public async Task DisposeAsync()
    {
        _way.Dispose();
        await cluster.ReviveAsync();
    }

    [ClusterFact]
    public async Task What_any_node_has_confirmed_is_on_the_remaining_ones_and_what_was_cut_off_can_be_repeated_there()
    {
        using var client = new PlainClient(RoundRobin.Address, _way);
        var seen = new HashSet<object>();
        for (var round = 0; round < (Programs.FullSizes ? 9 : 4); round++)
        {
            using var end = new CancellationTokenSource();
            var writers = Enumerable.Range(0, Writers)
                .Select(writer => Task.Run(() => WriteAsync(client, writer, end.Token))).ToArray();
            await ConfirmedAsync(Confirmed + 15, writers);
            await Task.Delay(Random.Shared.Next(800));
            await cluster.KillAsync(round % cluster.Addresses.Count);
            await Task.Delay(500); // the others go on
            await end.CancelAsync();
            await Task.WhenAll(writers);

            var before = seen.ToHashSet();
            foreach (var node in cluster.Living)
            {
                using var reader = new PlainClient(node.Address);
                await _ledger.VerifyAsync(reader, entry => seen.Add(entry) | !before.Contains(entry)); // what is new
            }

            await cluster.ReviveAsync();
        }

        await _ledger.VerifyAsync(client, _ => true);

        Assert.Empty(_way.Faults);
        var blobs = _ledger.Blobs.Values.Count(blob => blob.Accepted);
        output.WriteLine(
            $"measured: {_interrupted} pushes cut off by the kill of a node, {blobs} blobs and {Confirmed} manifests "
            + "confirmed and found on the remaining nodes");
        Assert.True(_interrupted > 0, "No push was cut off.");
    }

    [ClusterFact]
    public async Task An_upload_that_was_on_the_killed_node_goes_on_elsewhere_from_where_it_is_said_to_stand()
    {
        var blob = new GeneratedContent(5, 20_000_000);
        using (var first = new PlainClient(cluster.Addresses[0]))
        {
            var upload = await first.StartUploadAsync(_repository);
            upload = await first.AppendAsync(upload, PlainClient.Body(blob.Open(0, 7_000_000), 7_000_000), at: 0);
            var chunk = new PausingContent(blob, pauseAt: 14_000_000, start: 7_000_000);
            var cut = first.AppendAsync(upload, chunk, at: 7_000_000);
            await chunk.Paused;
            await cluster.KillAsync(0);
            chunk.GoOn();
            await Assert.ThrowsAnyAsync<Exception>(() => cut);

            using var client = new PlainClient(RoundRobin.Address, _way);
            var (place, offset) = await client.AskOffsetAsync(new Uri(RoundRobin.Address, upload.PathAndQuery));
            Assert.Equal(7_000_000, offset); // what was confirmed, and none of what was not
            place = await GoOnAsync(client, place, blob, offset, length: 6_000_000);
            Assert.Equal(13_000_000, (await client.AskOffsetAsync(place)).Offset);
            place = await client.AppendAsync(
                place, PlainClient.Body(blob.Open(13_000_000, 7_000_000), 7_000_000), at: 13_000_000);
            await client.CompleteAsync(place, blob.Digest);
        }

        foreach (var node in cluster.Living)
        {
            using var reader = new PlainClient(node.Address);
            Assert.Equal((blob.Digest, blob.Length), await reader.PullBlobAsync(_repository, blob.Digest));
        }
    }

    /// <summary>Ends when that many pushes are confirmed: a slow machine takes its time.</summary>
    private async Task ConfirmedAsync(int pushes, Task[] writers)
    {
        for (var clock = Stopwatch.StartNew(); Confirmed < pushes; await Task.Delay(20))
        {
            if (Array.Find(writers, writer => writer.IsCompleted) is { } ended)
                await ended; // with what has ended it
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"Only {Confirmed} of {pushes} pushes were confirmed.");
        }
    }

    /// <summary>The dead node's claim of the session has to run out first: until then the answer is 416.</summary>
    private static async Task<Uri> GoOnAsync(
        PlainClient client, Uri upload, GeneratedContent blob, long offset, int length)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        while (true)
        {
            try
            {
                return await client.AppendAsync(upload, PlainClient.Body(blob.Open(offset, length), length), offset);
            }
            catch (WrongAnswerException e) when (e.Message.Contains("answered 416", StringComparison.Ordinal))
            {
                await Task.Delay(500, deadline.Token);
            }
        }
    }

    private async Task WriteAsync(PlainClient client, int writer, CancellationToken end)
    {
        for (var number = 0; !end.IsCancellationRequested; number++)
        {
            var image = new PlannedImage(
                _repository, number % 3 == 0 ? "latest" : $"w{writer}-{number % 5}", (PushWay)(number % 4),
                new GeneratedContent(Interlocked.Increment(ref _seed), 900),
                [new GeneratedContent(Interlocked.Increment(ref _seed), number % 8 == 3 ? 6_000_000 : 40_000)]);
            for (var tries = 1; ; tries++)
            {
                try
                {
                    await image.PushAsync(client, _ledger);
                    break;
                }
                // Cut off with the node: the same once more, on the others.
                catch (Exception e) when (e is HttpRequestException or IOException or SocketException && tries < 5)
                {
                    Interlocked.Increment(ref _interrupted);
                }
            }
        }
    }
}
