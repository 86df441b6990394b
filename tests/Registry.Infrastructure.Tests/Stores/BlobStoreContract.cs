using Registry.Application.Stores;
using Registry.Domain.Blobs;

namespace Registry.Infrastructure.Tests.Stores;

/// <summary>What every kind of store promises about blobs at rest. <see cref="UploadContract"/> has the way there.</summary>
public abstract class BlobStoreContract
{
    private protected static readonly byte[] Digits = "0123456789"u8.ToArray();

    /// <summary>A new instance over the same place, as after a restart.</summary>
    private protected abstract Task<IBlobStore> StartAsync();

    /// <summary>Destroys what is stored behind the store's back: all of it, or the last byte.</summary>
    private protected abstract Task DamageAsync(StoredBlob blob, bool completely);

    /// <summary>How many blobs have bytes in the store.</summary>
    private protected abstract Task<int> CountBlobsAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(4_095)]
    [InlineData(262_143)]
    [InlineData(262_144)]
    [InlineData(262_145)]
    [InlineData(524_288)]
    [InlineData(6_000_001)]
    public async Task A_blob_reads_back_as_it_was_pushed(int length)
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(length);

        var blob = await store.PushAsync(content);

        Assert.Equal(length, blob.Size);
        Assert.Equal(content, await store.ReadAsync(blob));
    }

    [Fact]
    public async Task A_blob_is_still_there_after_a_restart()
    {
        var blob = await (await StartAsync()).PushAsync(Digits);
        Assert.Equal(Digits, await (await StartAsync()).ReadAsync(blob));
    }

    [Fact]
    public async Task An_empty_blob_is_a_blob()
    {
        var store = await StartAsync();
        var blob = await store.PushAsync([]);
        Assert.Equal(0, blob.Size);
        Assert.Equal(Array.Empty<byte>(), await store.ReadAsync(blob));
    }

    [Fact]
    public async Task A_blob_can_be_addressed_by_sha512()
    {
        var store = await StartAsync();
        var blob = await store.PushAsync(Digits, DigestAlgorithm.Sha512);
        Assert.Equal(DigestAlgorithm.Sha512, blob.Digest.Algorithm);
        Assert.Equal(Digits, await store.ReadAsync(blob));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 999_999)]
    [InlineData(1, 999_998)]
    [InlineData(131_071, 131_072)]
    [InlineData(262_144, 600_000)]
    [InlineData(999_999, 999_999)]
    public async Task A_range_yields_exactly_its_bytes(int first, int last)
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(1_000_000);
        var blob = await store.PushAsync(content);

        await using var part = await store.OpenAsync(blob, new(first, last), CancellationToken.None);
        await using var whole = await store.OpenAsync(blob, part: null, CancellationToken.None);

        Assert.Equal(1_000_000, part!.Size);
        Assert.Equal(content[first..(last + 1)], await part.ReadAsync(new(first, last)));
        Assert.Equal(content[first..(last + 1)], await whole!.ReadAsync(new(first, last)));
    }

    [Fact]
    public async Task Opened_content_can_be_read_more_than_once_and_by_many()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(700_000);
        var blob = await store.PushAsync(content);
        await using var opened = await store.OpenAsync(blob, part: null, CancellationToken.None);

        var copies = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => Task.Run(() => opened!.ReadAsync(new(0, content.Length - 1)))));

        Assert.All(copies, copy => Assert.Equal(content, copy));
    }

    [Fact]
    public async Task The_same_content_can_be_pushed_again_while_it_is_read()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(300_000);
        var first = await store.PushAsync(content);
        await using var opened = await store.OpenAsync(first, part: null, CancellationToken.None);

        var second = await store.PushAsync(content);

        Assert.Equal(content, await opened!.ReadAsync(new(0, content.Length - 1)));
        Assert.Equal(content, await store.ReadAsync(second));
    }

    [Fact]
    public async Task A_blob_can_be_opened_at_every_moment_while_it_is_pushed_again()
    {
        var store = await StartAsync();
        var blob = await store.PushAsync(Digits);
        using var enough = new CancellationTokenSource();

        var reader = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
                Assert.Equal(Digits, await store.ReadAsync(blob));
        });
        for (var time = 0; time < 50; time++)
            await store.PushAsync(Digits);
        await enough.CancelAsync();

        await reader;
    }

    [Fact]
    public async Task Many_may_push_the_same_content_at_once()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(1_500_000);

        var blobs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => store.PushAsync(content))));

        foreach (var blob in blobs)
            Assert.Equal(content, await store.ReadAsync(blob));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_missing_or_short_blob_is_not_opened_and_heals_by_being_pushed_again(bool missing)
    {
        var store = await StartAsync();
        var blob = await store.PushAsync(Digits);
        await DamageAsync(blob, missing);
        Assert.Null(await store.OpenAsync(blob, part: null, CancellationToken.None));

        var healed = await store.PushAsync(Digits);

        Assert.Equal(Digits, await store.ReadAsync(healed));
    }

    [Fact]
    public async Task A_blob_of_another_length_than_expected_is_not_opened()
    {
        var store = await StartAsync();
        var blob = await store.PushAsync(Digits);
        Assert.Null(await store.OpenAsync(blob with { Size = 9 }, part: null, CancellationToken.None));
        Assert.Null(await store.OpenAsync(blob with { Size = 11 }, part: null, CancellationToken.None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("elsewhere")]
    [InlineData("../../../../../../etc/hostname")]
    public async Task A_location_that_the_store_never_gave_has_no_blob(string location)
    {
        var store = await StartAsync();
        var blob = await store.PushAsync(Digits);
        Assert.Null(await store.OpenAsync(blob with { Location = location }, part: null, CancellationToken.None));
    }

    [Fact]
    public async Task Content_that_does_not_have_the_digest_is_not_stored()
    {
        var store = await StartAsync();
        Assert.Null(await new Upload().FinishAsync(store, Digits, StoreUsage.DigestOf([1])));
        Assert.Equal(0, await CountBlobsAsync());
    }
}
