using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Uploads;

namespace Registry.Infrastructure.Tests.Stores;

/// <summary>What every kind of store promises about uploads on their way to become blobs.</summary>
public abstract class UploadContract : BlobStoreContract
{
    private readonly UploadId _id = UploadId.Create();

    [Fact]
    public async Task Chunks_join_in_their_order()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(900_001);

        Assert.Equal(new AppendedBytes(300_000, true), await store.AppendAsync(_id, 0, content[..300_000]));
        Assert.Equal(new AppendedBytes(300_001, true), await store.AppendAsync(_id, 300_000, content[300_000..300_001]));
        var blob = await store.FinishAsync(_id, 300_001, content[300_001..], StoreUsage.DigestOf(content));

        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task An_upload_goes_on_after_a_restart()
    {
        await (await StartAsync()).AppendAsync(_id, 0, Digits[..4]);

        var store = await StartAsync();
        Assert.Equal(new AppendedBytes(7, true), await store.AppendAsync(_id, 4, Digits[4..7]));
        store = await StartAsync();
        var blob = await store.FinishAsync(_id, 7, Digits[7..], StoreUsage.DigestOf(Digits));

        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task An_upload_cannot_go_on_behind_its_bytes()
    {
        var store = await StartAsync();
        Assert.Null(await store.AppendAsync(_id, 1, Digits)); // never begun
        await store.AppendAsync(_id, 0, Digits);
        Assert.Null(await store.AppendAsync(_id, 11, Digits));
        Assert.Null(await store.AppendAsync(UploadId.Create(), 10, Digits)); // another's
    }

    [Fact]
    public async Task Bytes_behind_the_offset_are_dropped()
    {
        var store = await StartAsync();
        await store.AppendAsync(_id, 0, [.. Digits[..4], .. "a broken chunk"u8]);

        var blob = await store.FinishAsync(_id, 4, Digits[4..], StoreUsage.DigestOf(Digits));

        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task An_upload_may_begin_anew()
    {
        var store = await StartAsync();
        await store.AppendAsync(_id, 0, "something else, and longer"u8.ToArray());
        var blob = await store.FinishAsync(_id, 0, Digits, StoreUsage.DigestOf(Digits));
        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_wrong_digest_leaves_the_upload_usable()
    {
        var store = await StartAsync();
        await store.AppendAsync(_id, 0, Digits[..6]);

        Assert.Null(await store.FinishAsync(_id, 6, Digits[6..], StoreUsage.DigestOf([1])));
        Assert.Equal(0, await CountBlobsAsync());
        // The session stands at 6 still, and may be closed with the same bytes again or with others.
        Assert.Null(await store.FinishAsync(_id, 6, [9], StoreUsage.DigestOf(Digits)));
        var blob = await store.FinishAsync(_id, 6, Digits[6..], StoreUsage.DigestOf(Digits));

        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_wrong_digest_can_be_corrected_at_once()
    {
        var store = await StartAsync();
        await using var upload = store.Staging.TryOpen(_id)!;
        Assert.Null(await upload.FinishAsync(store, 0, Digits, StoreUsage.DigestOf([1])));
        Assert.NotNull(await upload.PublishAsync(StoreUsage.DigestOf(Digits), 10, CancellationToken.None));
    }

    [Fact]
    public async Task All_bytes_are_published_or_none()
    {
        var store = await StartAsync();
        await using var upload = store.Staging.TryOpen(_id)!;
        await upload.AppendAsync(0, Digits);
        Assert.Null(await upload.PublishAsync(StoreUsage.DigestOf(Digits[..9]), 9, CancellationToken.None));
        Assert.Null(await upload.PublishAsync(StoreUsage.DigestOf(Digits), 11, CancellationToken.None));
    }

    [Fact]
    public async Task An_upload_can_be_closed_with_another_algorithm_than_announced()
    {
        var store = await StartAsync();
        await store.AppendAsync(_id, 0, Digits[..6]);
        var digest = StoreUsage.DigestOf(Digits, DigestAlgorithm.Sha512);
        Assert.Equal(digest, (await store.FinishAsync(_id, 6, Digits[6..], digest))?.Digest);
    }

    [Fact]
    public async Task An_upload_has_one_writer_at_a_time()
    {
        var store = await StartAsync();
        await using (store.Staging.TryOpen(_id))
        {
            Assert.Null(store.Staging.TryOpen(_id));
            await using var other = store.Staging.TryOpen(UploadId.Create());
            Assert.NotNull(other);
        }

        var again = store.Staging.TryOpen(_id);
        Assert.NotNull(again);
        await again.DisposeAsync();
        await using var third = store.Staging.TryOpen(_id);
        await again.DisposeAsync(); // a second time: it must not free what another holds now
        Assert.Null(store.Staging.TryOpen(_id));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(262_144)]
    [InlineData(1_000_000)]
    public async Task Content_that_breaks_off_keeps_what_came(int received)
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(1_100_000);
        await using (var upload = store.Staging.TryOpen(_id)!)
        {
            var broken = new BrokenStream(content.AsMemory(0, received));
            Assert.Equal(
                new AppendedBytes(received, Complete: false),
                await upload.AppendAsync(0, broken, DigestAlgorithm.Sha256, CancellationToken.None));
        }

        var blob = await store.FinishAsync(_id, received, content[received..], StoreUsage.DigestOf(content));

        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_cancelled_request_counts_as_broken_off()
    {
        var store = await StartAsync();
        await using var upload = store.Staging.TryOpen(_id)!;
        var aborted = new BrokenStream(Digits, new OperationCanceledException());
        Assert.Equal(
            new AppendedBytes(10, Complete: false),
            await upload.AppendAsync(0, aborted, DigestAlgorithm.Sha256, CancellationToken.None));
        Assert.Equal(
            new AppendedBytes(10, Complete: false),
            await upload.AppendAsync(10, new GeneratedStream(10), DigestAlgorithm.Sha256, new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task A_fault_of_the_server_is_not_taken_for_a_client_that_went_away()
    {
        var store = await StartAsync();
        await using var upload = store.Staging.TryOpen(_id)!;
        var faulty = new BrokenStream(GeneratedStream.Bytes(300_000), new NotSupportedException());
        await Assert.ThrowsAsync<NotSupportedException>(
            () => upload.AppendAsync(0, faulty, DigestAlgorithm.Sha256, CancellationToken.None));
    }

    [Fact]
    public async Task Discarded_bytes_are_gone()
    {
        var store = await StartAsync();
        await using (var upload = store.Staging.TryOpen(_id)!)
        {
            await upload.AppendAsync(0, Digits);
            await upload.DiscardAsync();
            await upload.DiscardAsync();
        }

        Assert.Null(await store.AppendAsync(_id, 10, Digits));
        Assert.Empty(await ListAsync(DateTimeOffset.UtcNow.AddHours(1)));
    }

    [Fact]
    public async Task Uploads_are_listed_by_when_they_were_last_written()
    {
        var store = await StartAsync();
        Assert.Empty(await ListAsync(DateTimeOffset.UtcNow.AddHours(1)));
        await store.AppendAsync(_id, 0, Digits);
        await store.PushAsync(Digits); // finished, so no upload any more

        Assert.Equal([_id], await ListAsync(DateTimeOffset.UtcNow.AddHours(1)));
        Assert.Empty(await ListAsync(DateTimeOffset.UtcNow.AddHours(-1)));
    }

    [Fact]
    public async Task Memory_does_not_grow_with_the_length()
    {
        const long Length = 64 << 20;
        var store = await StartAsync();
        await store.PushAsync(GeneratedStream.Bytes(1 << 20)); // buffers are pooled from here on
        await using var upload = store.Staging.TryOpen(_id)!;

        var before = GC.GetTotalAllocatedBytes(precise: true);
        var appended = await upload.AppendAsync(0, new GeneratedStream(Length), DigestAlgorithm.Sha256, CancellationToken.None);
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        Assert.Equal(new AppendedBytes(Length, Complete: true), appended);
        Assert.InRange(allocated, 0, Length / 16);
    }

    private async Task<IReadOnlyList<UploadId>> ListAsync(DateTimeOffset time)
    {
        var store = await StartAsync();
        var ids = new List<UploadId>();
        await foreach (var id in store.Staging.ListUntouchedSinceAsync(time, CancellationToken.None))
            ids.Add(id);
        return ids;
    }
}
