using System.IO.Pipelines;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Infrastructure.Tests.FileSystem;

namespace Registry.Infrastructure.Tests.Stores;

/// <summary>What every kind of store promises about blobs that are read while they arrive.</summary>
public abstract class ArrivalContract : UploadContract
{
    private const int Mebi = 1 << 20;

    /// <summary>All that is on its way to become a blob, or was left there.</summary>
    private protected abstract Task<IReadOnlyList<string>> LeftoversAsync();

    [Theory]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task Readers_may_join_at_any_moment_and_get_all_bytes(string algorithm)
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(3_000_001);
        var digest = StoreUsage.DigestOf(
            content, algorithm == "sha512" ? DigestAlgorithm.Sha512 : DigestAlgorithm.Sha256);
        var arriving = await store.ReceiveAsync(digest, content.Length, cached: true, CancellationToken.None);
        var upstream = new StepStream();
        var appending = arriving.AppendAsync(upstream, CancellationToken.None);

        var clients = new List<BlobClient> { BlobClient.Fetch(arriving), BlobClient.Fetch(arriving) };
        upstream.Send(content.AsMemory(0, 1_000_000));
        Assert.Equal(content[..1_000_000], await clients[0].TakeAsync(1_000_000));
        clients.Add(BlobClient.Fetch(arriving));
        upstream.Send(content.AsMemory(1_000_000));
        Assert.True(await appending.WaitAsync(BlobClient.Patience));
        Assert.Equal(content.Length, arriving.Arrived);
        clients.Add(BlobClient.Fetch(arriving));
        var blob = await arriving.PublishAsync(CancellationToken.None);
        clients.Add(BlobClient.Fetch(arriving));
        await arriving.DisposeAsync();

        Assert.Equal(new StoredBlob(store.Name, digest, blob!.Location, content.Length), blob);
        Assert.Equal(content[1_000_000..], await clients[0].TakeAllAsync());
        foreach (var client in clients[1..])
            Assert.Equal(content, await client.TakeAllAsync());
        foreach (var client in clients)
            await client.EndAsync();
        Assert.Equal(content, await store.ReadAsync(blob));
        Assert.Equal(content, await (await StartAsync()).ReadAsync(blob));
    }

    [Fact]
    public async Task A_reader_gets_each_byte_as_soon_as_it_is_there()
    {
        var (arriving, upstream, appending) = await BeginAsync(await StartAsync(), Digits);
        await using var _ = arriving;
        var client = BlobClient.Fetch(arriving);

        for (var sent = 0; sent < 9; sent++)
        {
            upstream.Send(Digits.AsMemory(sent, 1));
            Assert.Equal(Digits[sent..(sent + 1)], await client.TakeAsync(1));
        }

        upstream.Send(Digits.AsMemory(9));
        Assert.True(await appending.WaitAsync(BlobClient.Patience)); // the upstream has not even ended
        Assert.Equal(Digits[9..], await client.TakeAsync(1)); // nor is it published
        await client.EndAsync();
    }

    [Fact]
    public async Task A_reader_that_does_not_read_holds_up_nobody()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(2 * Mebi);
        var (arriving, upstream, appending) = await BeginAsync(store, content);
        var (stalled, other) = (BlobClient.Fetch(arriving), BlobClient.Fetch(arriving));

        foreach (var piece in content.Chunk(100_000))
        {
            upstream.Send(piece);
            Assert.Equal(piece, await other.TakeAsync(piece.Length));
        }

        Assert.True(await appending.WaitAsync(BlobClient.Patience));
        var blob = await arriving.PublishAsync(CancellationToken.None);
        await arriving.DisposeAsync();
        await other.EndAsync();
        Assert.Equal(content, await store.ReadAsync(blob!));
        Assert.Equal(content, await stalled.TakeAllAsync());
        await stalled.EndAsync();
    }

    [Fact]
    public async Task A_reader_that_leaves_holds_up_nobody()
    {
        var content = GeneratedStream.Bytes(Mebi);
        var (arriving, upstream, appending) = await BeginAsync(await StartAsync(), content);
        await using var _ = arriving;
        using var aborted = new CancellationTokenSource();
        var (cancelled, gone, other)
            = (BlobClient.Fetch(arriving, aborted.Token), BlobClient.Fetch(arriving), BlobClient.Fetch(arriving));
        upstream.Send(content.AsMemory(0, 1000));
        foreach (var client in new[] { cancelled, gone, other })
            Assert.Equal(content[..1000], await client.TakeAsync(1000));

        await aborted.CancelAsync(); // while it waits
        await Assert.ThrowsAnyAsync<OperationCanceledException>(cancelled.EndAsync);
        await gone.LeaveAsync();
        upstream.Send(content.AsMemory(1000));

        await gone.EndAsync();
        Assert.True(await appending.WaitAsync(BlobClient.Patience));
        Assert.Equal(content[1000..], await other.TakeAllAsync());
    }

    [Fact]
    public async Task A_crowd_is_served_from_one_arrival()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(Mebi + 1);
        await using var arriving = await ReceiveAsync(store, content);
        var clients = Enumerable.Range(0, 200).Select(_ => BlobClient.Fetch(arriving).TakeAllAsync()).ToList();

        Assert.True(await arriving.AppendAsync(new MemoryStream(content), CancellationToken.None));

        foreach (var client in clients)
            Assert.True((await client).AsSpan().SequenceEqual(content));
        Assert.NotNull(await arriving.PublishAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData(0, 9)] // arrived
    [InlineData(5, 700_000)] // half
    [InlineData(500_000, 500_000)]
    [InlineData(600_000, 999_998)]
    [InlineData(999_999, 999_999)] // the last byte
    public async Task A_range_yields_exactly_its_bytes_once_they_arrive(int first, int last)
    {
        var content = GeneratedStream.Bytes(1_000_000);
        var (arriving, upstream, appending) = await BeginAsync(await StartAsync(), content);
        await using var _ = arriving;
        upstream.Send(content.AsMemory(0, 300_000));
        await BlobClient.Fetch(arriving).TakeAsync(300_000);

        var client = BlobClient.FetchPart(arriving, first, last);
        upstream.Send(content.AsMemory(300_000));

        Assert.True(await appending.WaitAsync(BlobClient.Patience));
        Assert.Equal(content[first..(last + 1)], await client.TakeAllAsync());
        await client.EndAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(262_144)]
    [InlineData(1_000_000)]
    public async Task Content_that_breaks_off_is_continued_by_another_one(int received)
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(1_100_000);
        await using var arriving = await ReceiveAsync(store, content);
        var client = BlobClient.Fetch(arriving);

        Assert.False(await arriving.AppendAsync(new BrokenStream(content.AsMemory(0, received)), CancellationToken.None));
        Assert.Equal(received, arriving.Arrived);
        Assert.Equal(content[..received], await client.TakeAsync(received));
        Assert.False(await arriving.AppendAsync(
            new BrokenStream(default, new OperationCanceledException()), CancellationToken.None));
        Assert.False(await arriving.AppendAsync(Stream.Null, CancellationToken.None));
        Assert.Equal(received, arriving.Arrived);
        Assert.True(await arriving.AppendAsync(new MemoryStream(content[received..]), CancellationToken.None));

        var blob = await arriving.PublishAsync(CancellationToken.None);
        Assert.Equal(content[received..], await client.TakeAllAsync());
        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_caller_that_stops_appending_may_go_on_later()
    {
        var store = await StartAsync();
        await using var arriving = await ReceiveAsync(store, Digits);
        var (client, upstream) = (BlobClient.Fetch(arriving), new StepStream());
        using var stop = new CancellationTokenSource();
        var appending = arriving.AppendAsync(upstream, stop.Token);
        upstream.Send(Digits.AsMemory(0, 4));
        await client.TakeAsync(4);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => appending.WaitAsync(BlobClient.Patience));
        Assert.Equal(4, arriving.Arrived);
        Assert.True(await arriving.AppendAsync(new MemoryStream(Digits[4..]), CancellationToken.None));
        Assert.NotNull(await arriving.PublishAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_fault_of_the_server_is_not_taken_for_an_upstream_that_broke_off()
    {
        await using var arriving = await ReceiveAsync(await StartAsync(), Digits);
        await Assert.ThrowsAsync<NotSupportedException>(
            () => arriving.AppendAsync(new BrokenStream(Digits.AsMemory(0, 4), new NotSupportedException()), CancellationToken.None));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(9_000_000)]
    public async Task What_does_not_have_the_digest_is_kept_from_readers_and_store(int length)
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(length);
        var expected = StoreUsage.DigestOf([1, 2, 3]);
        await using var arriving = await store.ReceiveAsync(expected, length, cached: true, CancellationToken.None);
        var clients = new[]
        {
            BlobClient.Fetch(arriving), BlobClient.Fetch(arriving), BlobClient.FetchPart(arriving, length - 1, length - 1),
        };
        var received = clients.Select(client => client.TakeAllAsync()).ToList();

        Assert.True(await arriving.AppendAsync(new MemoryStream(content), CancellationToken.None));

        foreach (var client in clients)
            await Assert.ThrowsAnyAsync<IOException>(client.EndAsync);
        Assert.InRange((await received[0]).Length, 0, length - 1);
        Assert.InRange((await received[1]).Length, 0, length - 1);
        Assert.Empty(await received[2]);
        Assert.Null(await arriving.PublishAsync(CancellationToken.None));
        await Assert.ThrowsAnyAsync<IOException>(BlobClient.Fetch(arriving).EndAsync);
        Assert.Equal(0, await CountBlobsAsync());
        Assert.Empty(await LeftoversAsync());
    }

    [Fact]
    public async Task Bytes_behind_the_size_are_not_taken()
    {
        var store = await StartAsync();
        await using var arriving = await ReceiveAsync(store, Digits);
        using var tooMuch = new MemoryStream([.. Digits, 1, 2, 3]);

        Assert.True(await arriving.AppendAsync(tooMuch, CancellationToken.None));
        Assert.Equal(10, tooMuch.Position);
        Assert.True(await arriving.AppendAsync(tooMuch, CancellationToken.None));

        Assert.Equal(10, tooMuch.Position);
        Assert.Equal(Digits, await store.ReadAsync((await arriving.PublishAsync(CancellationToken.None))!));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_empty_blob_arrives_without_a_byte(bool appended)
    {
        var store = await StartAsync();
        await using var arriving = await ReceiveAsync(store, []);
        if (appended)
            Assert.True(await arriving.AppendAsync(Stream.Null, CancellationToken.None));

        var blob = await arriving.PublishAsync(CancellationToken.None);

        Assert.Equal(0, blob!.Size);
        Assert.Equal(Array.Empty<byte>(), await store.ReadAsync(blob));
        await using var content = arriving.OpenRead();
        Assert.Equal(0, content.Size);
    }

    [Fact]
    public async Task Nothing_is_no_blob_of_another_digest()
    {
        await using var arriving = await (await StartAsync()).ReceiveAsync(
            StoreUsage.DigestOf(Digits), size: 0, cached: true, CancellationToken.None);
        Assert.Null(await arriving.PublishAsync(CancellationToken.None));
        Assert.Equal(0, await CountBlobsAsync());
    }

    [Fact]
    public async Task Bytes_that_are_not_all_there_are_not_published()
    {
        await using var arriving = await ReceiveAsync(await StartAsync(), Digits);
        await arriving.AppendAsync(new MemoryStream(Digits[..9]), CancellationToken.None);
        await Assert.ThrowsAsync<InvalidOperationException>(() => arriving.PublishAsync(CancellationToken.None));
    }

    [Fact]
    public async Task An_arrival_that_is_given_up_leaves_nothing_and_its_readers_end_with_an_error()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(20 * Mebi);
        var arriving = await ReceiveAsync(store, content);
        var client = BlobClient.Fetch(arriving);
        Assert.False(await arriving.AppendAsync(new MemoryStream(content[..(19 * Mebi)]), CancellationToken.None));

        await arriving.DisposeAsync();
        await arriving.DisposeAsync();

        Assert.InRange((await client.TakeAllAsync()).Length, 0, 19 * Mebi);
        await Assert.ThrowsAnyAsync<IOException>(client.EndAsync);
        Assert.Throws<ObjectDisposedException>(arriving.OpenRead);
        Assert.Empty(await LeftoversAsync());
        Assert.Equal(0, await CountBlobsAsync());
    }

    [Fact]
    public async Task Readers_of_bytes_that_have_the_digest_go_on_when_the_blob_is_given_up()
    {
        var content = GeneratedStream.Bytes(Mebi);
        var arriving = await ReceiveAsync(await StartAsync(), content);
        var client = BlobClient.Fetch(arriving);
        Assert.True(await arriving.AppendAsync(new MemoryStream(content), CancellationToken.None));

        await arriving.DisposeAsync();

        Assert.Equal(content, await client.TakeAllAsync());
        await client.EndAsync();
        Assert.Empty(await LeftoversAsync());
        Assert.Equal(0, await CountBlobsAsync());
    }

    [Fact]
    public async Task A_blob_that_is_there_already_may_arrive_again()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(300_000);
        var first = await store.PushAsync(content);
        await using var arriving = await ReceiveAsync(store, content);
        Assert.True(await arriving.AppendAsync(new MemoryStream(content), CancellationToken.None));

        var second = await arriving.PublishAsync(CancellationToken.None);

        Assert.Equal(content, await store.ReadAsync(first));
        Assert.Equal(content, await store.ReadAsync(second!));
    }

    [Fact]
    public async Task A_full_disk_ends_the_arrival_for_writer_and_readers()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(3 * Mebi);
        var arriving = await ReceiveAsync(store, content);
        var client = BlobClient.Fetch(arriving);
        var received = client.TakeAllAsync();

        using (new FileSizeLimit(2 * Mebi))
        {
            var failure = await Assert.ThrowsAsync<StorageException>(
                () => arriving.AppendAsync(new MemoryStream(content), CancellationToken.None));
            Assert.Equal(ErrorReason.StoreFull, failure.Error.Reason);
        }

        await Assert.ThrowsAnyAsync<IOException>(client.EndAsync);
        Assert.InRange((await received).Length, 0, 2 * Mebi);
        await Assert.ThrowsAsync<StorageException>(() => arriving.AppendAsync(Stream.Null, CancellationToken.None));
        await Assert.ThrowsAsync<StorageException>(() => arriving.PublishAsync(CancellationToken.None));
        await arriving.DisposeAsync();
        Assert.Empty(await LeftoversAsync());
    }

    [Fact]
    public async Task What_a_killed_process_leaves_of_an_arrival_is_purged_as_an_upload_is()
    {
        var killed = await ReceiveAsync(await StartAsync(), GeneratedStream.Bytes(20 * Mebi));
        await killed.AppendAsync(new GeneratedStream(19 * Mebi), CancellationToken.None);
        await WaitForLeftoversAsync();

        Assert.Equal([true], await DropAllAsync(await StartAsync()));

        Assert.Empty(await LeftoversAsync());
    }

    [Fact]
    public async Task What_is_arriving_is_not_purged()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(20 * Mebi);
        await using var arriving = await ReceiveAsync(store, content);
        await arriving.AppendAsync(new MemoryStream(content[..(19 * Mebi)]), CancellationToken.None);
        await WaitForLeftoversAsync();

        Assert.Equal([false], await DropAllAsync(store));

        Assert.True(await arriving.AppendAsync(new MemoryStream(content[(19 * Mebi)..]), CancellationToken.None));
        var blob = await arriving.PublishAsync(CancellationToken.None);
        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    public async Task Memory_grows_neither_with_the_length_nor_with_the_bytes_that_readers_get(int readers)
    {
        const long Length = 64 << 20;
        var store = await StartAsync();
        await ArriveAsync(); // buffers are pooled from here on

        var before = GC.GetTotalAllocatedBytes(precise: true);
        await ArriveAsync();
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        Assert.InRange(allocated, 0, Length / 8);

        async Task ArriveAsync()
        {
            var arriving = await store.ReceiveAsync(
                StoreUsage.DigestOf(Digits), Length + 1, cached: true, CancellationToken.None);
            var reading = Enumerable.Range(0, readers)
                .Select(_ => arriving.OpenRead().CopyToAsync(
                    PipeWriter.Create(Stream.Null), new(0, Length - 1), CancellationToken.None))
                .ToList();
            Assert.False(await arriving.AppendAsync(new GeneratedStream(Length), CancellationToken.None));
            await Task.WhenAll(reading).WaitAsync(BlobClient.Patience);
            await arriving.DisposeAsync();
        }
    }

    // Of a bucket, it takes a moment until the server has heard of an arrival.
    private async Task WaitForLeftoversAsync()
    {
        using var deadline = new CancellationTokenSource(BlobClient.Patience);
        while ((await LeftoversAsync()).Count == 0)
            await Task.Delay(50, deadline.Token);
    }

    // As the purge of uploads does, long after.
    private static async Task<List<bool>> DropAllAsync(IBlobStore store)
    {
        var dropped = new List<bool>();
        await foreach (var id in store.Staging.ListUntouchedSinceAsync(
            DateTimeOffset.UtcNow.AddHours(1), CancellationToken.None))
            dropped.Add(await store.Staging.DropAsync(id, state: null, CancellationToken.None));
        return dropped;
    }

    private static Task<IArrivingBlob> ReceiveAsync(IBlobStore store, byte[] content)
        => store.ReceiveAsync(StoreUsage.DigestOf(content), content.Length, cached: true, CancellationToken.None);

    private static async Task<(IArrivingBlob Arriving, StepStream Upstream, Task<bool> Appending)> BeginAsync(
        IBlobStore store, byte[] content)
    {
        var (arriving, upstream) = (await ReceiveAsync(store, content), new StepStream());
        return (arriving, upstream, arriving.AppendAsync(upstream, CancellationToken.None));
    }
}
