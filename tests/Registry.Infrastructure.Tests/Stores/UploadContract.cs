using Registry.Domain.Blobs;

namespace Registry.Infrastructure.Tests.Stores;

/// <summary>What every kind of store promises about uploads on their way to become blobs.</summary>
public abstract class UploadContract : BlobStoreContract
{
    private readonly Upload _upload = new();

    [Fact]
    public async Task Chunks_join_in_their_order()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(900_001);

        Assert.Equal((300_000, true), await _upload.AppendAsync(store, content[..300_000]));
        Assert.Equal((300_001, true), await _upload.AppendAsync(store, content[300_000..300_001]));
        var blob = await _upload.FinishAsync(store, content[300_001..], StoreUsage.DigestOf(content));

        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task An_upload_goes_on_after_a_restart()
    {
        await _upload.AppendAsync(await StartAsync(), Digits[..4]);

        Assert.Equal((7, true), await _upload.AppendAsync(await StartAsync(), Digits[4..7]));
        var store = await StartAsync();
        var blob = await _upload.FinishAsync(store, Digits[7..], StoreUsage.DigestOf(Digits));

        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task An_upload_cannot_go_on_behind_its_bytes()
    {
        var store = await StartAsync();
        Assert.Null(await _upload.At(1).AppendAsync(store, Digits)); // never begun
        await _upload.AppendAsync(store, Digits);
        Assert.Null(await _upload.At(11).AppendAsync(store, Digits));
        Assert.Null(await new Upload().At(10).AppendAsync(store, Digits)); // another's
    }

    [Fact]
    public async Task Bytes_that_did_not_count_are_dropped()
    {
        var store = await StartAsync();
        await _upload.AppendAsync(store, Digits[..4]);
        await _upload.AppendInVainAsync(store, "a broken chunk"u8.ToArray());

        var blob = await _upload.FinishAsync(store, Digits[4..], StoreUsage.DigestOf(Digits));

        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task An_upload_may_begin_anew()
    {
        var store = await StartAsync();
        await _upload.AppendInVainAsync(store, "something else, and longer"u8.ToArray());
        var blob = await _upload.FinishAsync(store, Digits, StoreUsage.DigestOf(Digits));
        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_wrong_digest_leaves_the_upload_usable()
    {
        var store = await StartAsync();
        await _upload.AppendAsync(store, Digits[..6]);

        Assert.Null(await _upload.FinishAsync(store, Digits[6..], StoreUsage.DigestOf([1])));
        Assert.Equal(0, await CountBlobsAsync());
        // The session stands at 6 still, and may be closed with the same bytes again or with others.
        Assert.Null(await _upload.FinishAsync(store, [9], StoreUsage.DigestOf(Digits)));
        var blob = await _upload.FinishAsync(store, Digits[6..], StoreUsage.DigestOf(Digits));

        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_wrong_digest_can_be_corrected_at_once()
    {
        var store = await StartAsync();
        await using var upload = await _upload.OpenAsync(store);
        Assert.Null(await upload.FinishAsync(store, Digits, StoreUsage.DigestOf([1])));
        Assert.NotNull(await upload.PublishAsync(StoreUsage.DigestOf(Digits), 10, CancellationToken.None));
    }

    [Fact]
    public async Task All_bytes_are_published_or_none()
    {
        var store = await StartAsync();
        await using var upload = await _upload.OpenAsync(store);
        await upload.AppendAsync(new MemoryStream(Digits), DigestAlgorithm.Sha256, final: true, CancellationToken.None);
        Assert.Null(await upload.PublishAsync(StoreUsage.DigestOf(Digits[..9]), 9, CancellationToken.None));
        Assert.Null(await upload.PublishAsync(StoreUsage.DigestOf(Digits), 11, CancellationToken.None));
    }

    [Fact]
    public async Task An_upload_can_be_closed_with_another_algorithm_than_announced()
    {
        var store = await StartAsync();
        await _upload.AppendAsync(store, Digits[..6]);
        var digest = StoreUsage.DigestOf(Digits, DigestAlgorithm.Sha512);
        Assert.Equal(digest, (await _upload.FinishAsync(store, Digits[6..], digest))?.Digest);
    }

    [Fact]
    public async Task An_upload_is_opened_when_its_former_writer_has_let_go()
    {
        var store = await StartAsync();
        var first = await _upload.OpenAsync(store);
        await first.AppendAsync(new MemoryStream(Digits), DigestAlgorithm.Sha256, final: true, CancellationToken.None);

        var second = Task.Run(() => _upload.FinishAsync(store, Digits, StoreUsage.DigestOf(Digits)));
        await Task.Delay(50);
        await first.DisposeAsync();
        await first.DisposeAsync();

        Assert.Equal(Digits, await store.ReadAsync((await second)!));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(262_144)]
    [InlineData(1_000_000)]
    public async Task Content_that_breaks_off_keeps_what_came(int received)
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(1_100_000);
        var broken = new BrokenStream(content.AsMemory(0, received));
        Assert.Equal((received, false), await _upload.AppendAsync(store, broken));

        var blob = await _upload.FinishAsync(store, content[received..], StoreUsage.DigestOf(content));

        Assert.Equal(content, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_cancelled_request_counts_as_broken_off()
    {
        var store = await StartAsync();
        var aborted = new BrokenStream(Digits, new OperationCanceledException());
        Assert.Equal((10, false), await _upload.AppendAsync(store, aborted));
        Assert.Equal(
            (10, false), await _upload.AppendAsync(store, new GeneratedStream(10), new CancellationToken(canceled: true)));

        var blob = await _upload.FinishAsync(store, [], StoreUsage.DigestOf(Digits));
        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task A_fault_of_the_server_is_not_taken_for_a_client_that_went_away()
    {
        var store = await StartAsync();
        var faulty = new BrokenStream(GeneratedStream.Bytes(300_000), new NotSupportedException());
        await Assert.ThrowsAsync<NotSupportedException>(() => _upload.AppendAsync(store, faulty));
    }

    [Fact]
    public async Task Discarded_bytes_are_gone()
    {
        var store = await StartAsync();
        await _upload.AppendAsync(store, Digits);
        await using (var upload = await _upload.OpenAsync(store))
        {
            await upload.DiscardAsync();
            await upload.DiscardAsync();
        }

        Assert.Null(await _upload.AppendAsync(store, Digits));
        Assert.Empty(await ListAsync(DateTimeOffset.UtcNow.AddHours(1)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dropped_bytes_are_gone_whether_anybody_knows_their_state_or_not(bool known)
    {
        await _upload.AppendAsync(await StartAsync(), Digits);
        var store = await StartAsync();

        Assert.True(await store.Staging.DropAsync(_upload.Id, known ? _upload.Session.State : null, CancellationToken.None));

        Assert.Null(await _upload.AppendAsync(store, Digits));
        Assert.Empty(await ListAsync(DateTimeOffset.UtcNow.AddHours(1)));
    }

    [Fact]
    public async Task Bytes_that_are_being_written_are_not_dropped()
    {
        var store = await StartAsync();
        await _upload.AppendAsync(store, Digits);
        await using (await _upload.OpenAsync(store))
            Assert.False(await store.Staging.DropAsync(_upload.Id, _upload.Session.State, CancellationToken.None));

        var blob = await _upload.FinishAsync(store, [], StoreUsage.DigestOf(Digits));
        Assert.Equal(Digits, await store.ReadAsync(blob!));
    }

    [Fact]
    public async Task Uploads_are_listed_by_when_they_were_last_written()
    {
        var store = await StartAsync();
        Assert.Empty(await ListAsync(DateTimeOffset.UtcNow.AddHours(1)));
        await _upload.AppendAsync(store, Digits);
        await store.PushAsync(Digits); // finished, so no upload any more

        Assert.Equal([_upload.Id], await ListAsync(DateTimeOffset.UtcNow.AddHours(1)));
        Assert.Empty(await ListAsync(DateTimeOffset.UtcNow.AddHours(-1)));
    }

    [Fact]
    public async Task Memory_does_not_grow_with_the_length()
    {
        const long Length = 64 << 20;
        var store = await StartAsync();

        // How many buffers are in use at once depends on the moment; once they are pooled, nothing else is needed.
        var allocated = new List<long>();
        for (var tries = 0; tries < 6 && allocated is not [.., < Length / 16]; tries++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            var appended = await new Upload().AppendAsync(store, new GeneratedStream(Length));
            allocated.Add(GC.GetTotalAllocatedBytes(precise: true) - before);
            Assert.Equal((Length, true), appended);
        }

        Assert.InRange(allocated[^1], 0, Length / 16);
    }

    private async Task<IReadOnlyList<Domain.Uploads.UploadId>> ListAsync(DateTimeOffset time)
    {
        var store = await StartAsync();
        return await store.Staging.ListUntouchedSinceAsync(time, CancellationToken.None).ToListAsync();
    }
}
