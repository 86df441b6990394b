using Registry.Application.Stores;
using Registry.Domain.Blobs;

namespace Registry.Infrastructure.Tests.Stores;

/// <summary>What every kind of store promises about blobs that can be fetched again.</summary>
public abstract class CachedContract : ArrivalContract
{
    private static readonly DateTimeOffset Later = DateTimeOffset.UtcNow.AddDays(2); // servers may date an object by its begin

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(20_000_000)] // of several parts, where there are parts
    public async Task What_has_come_from_elsewhere_goes_when_it_is_removed_and_nothing_else_does(int length)
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(length);
        var pushed = await store.PushAsync(content);
        var (first, second) = (await FetchAsync(store, content), await FetchAsync(store, content));
        Assert.Equal(3, new[] { pushed, first, second }.Select(blob => blob.Location).Distinct().Count());
        Assert.True(store.IsCached(first.Digest, first.Location));
        Assert.False(store.IsCached(pushed.Digest, pushed.Location));

        await RemoveAsync(store, first);
        await RemoveAsync(store, first); // as often as anybody likes
        await RemoveAsync(store, pushed);

        Assert.Null(await store.ReadAsync(first));
        Assert.Equal(content, await store.ReadAsync(second));
        Assert.Equal(content, await store.ReadAsync(pushed));
        Assert.Empty(await LeftoversAsync(but: second));
    }

    [Fact]
    public async Task What_is_pushed_after_an_arrival_is_there_when_the_arrival_is_removed()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(20_000_000);
        var fetched = await FetchAsync(store, content);
        var pushed = await store.PushAsync(content);

        await RemoveAsync(store, fetched);

        Assert.Equal(content, await (await StartAsync()).ReadAsync(pushed));
    }

    [Fact]
    public async Task What_is_to_stay_arrives_at_its_content_address()
    {
        var store = await StartAsync();
        await using var arriving = await store.ReceiveAsync(
            StoreUsage.DigestOf(Digits), Digits.Length, cached: false, CancellationToken.None);
        await arriving.AppendAsync(new MemoryStream(Digits), CancellationToken.None);

        var blob = await arriving.PublishAsync(CancellationToken.None);

        Assert.False(store.IsCached(blob!.Digest, blob.Location));
        Assert.StartsWith("docker/registry/v2/blobs/sha256/", blob.Location, StringComparison.Ordinal);
        Assert.Empty(await ListAsync(store, Later));
    }

    /// <remarks>Over a connection, where there is one, as long as it holds: it resumes by asking again.</remarks>
    [Fact]
    public async Task What_is_opened_reads_on_when_it_is_removed()
    {
        var store = await StartAsync();
        var content = GeneratedStream.Bytes(3_000_000);
        var blob = await FetchAsync(store, content);
        await using var opened = await store.OpenAsync(blob, part: null, CancellationToken.None);

        await RemoveAsync(store, blob);

        Assert.Equal(content, await opened!.ReadAsync(new(0, content.Length - 1)));
    }

    [Fact]
    public async Task A_cached_location_of_one_blob_is_none_of_another()
    {
        var store = await StartAsync();
        var blob = await FetchAsync(store, Digits);
        var other = StoreUsage.DigestOf([1, 2, 3]);

        Assert.False(store.IsCached(other, blob.Location));
        await store.RemoveCachedAsync(other, blob.Location, CancellationToken.None);
        foreach (var location in new[] { "", "..", $"{blob.Location}/..", $"{blob.Location}x", $"x{blob.Location}", "registry-store.json" })
        {
            Assert.False(store.IsCached(blob.Digest, location));
            Assert.Null(await store.OpenAsync(blob with { Location = location }, part: null, CancellationToken.None));
            await store.RemoveCachedAsync(blob.Digest, location, CancellationToken.None);
        }

        Assert.Null(await store.OpenAsync(blob with { Digest = other }, part: null, CancellationToken.None));
        Assert.Equal(Digits, await store.ReadAsync(blob));
        Assert.Equal(Digits, await (await StartAsync()).ReadAsync(blob));
    }

    [Fact]
    public async Task What_has_come_from_elsewhere_is_listed_by_its_age()
    {
        var store = await StartAsync();
        Assert.Empty(await ListAsync(store, Later));
        await store.PushAsync(Digits);
        await store.PushAsync(GeneratedStream.Bytes(20_000_000));
        StoredBlob[] fetched =
        [
            await FetchAsync(store, Digits), await FetchAsync(store, Digits), await FetchAsync(store, GeneratedStream.Bytes(20_000_000)),
            await FetchAsync(store, Digits, DigestAlgorithm.Sha512),
        ];

        Assert.Equal(
            fetched.Select(blob => new CachedLocation(blob.Digest, blob.Location)).OrderBy(place => place.Location, StringComparer.Ordinal),
            (await ListAsync(await StartAsync(), Later)).OrderBy(place => place.Location, StringComparer.Ordinal));
        Assert.Empty(await ListAsync(store, DateTimeOffset.UtcNow.AddHours(-1)));
    }

    private static async Task<StoredBlob> FetchAsync(IBlobStore store, byte[] content, DigestAlgorithm? algorithm = null)
    {
        await using var arriving = await store.ReceiveAsync(
            StoreUsage.DigestOf(content, algorithm), content.Length, cached: true, CancellationToken.None);
        Assert.True(await arriving.AppendAsync(new MemoryStream(content), CancellationToken.None));
        return (await arriving.PublishAsync(CancellationToken.None))!;
    }

    private static Task RemoveAsync(IBlobStore store, StoredBlob blob)
        => store.RemoveCachedAsync(blob.Digest, blob.Location, CancellationToken.None);

    private static async Task<List<CachedLocation>> ListAsync(IBlobStore store, DateTimeOffset time)
        => await store.ListCachedAsync(time, CancellationToken.None).ToListAsync();

    // A bucket also keeps what was pushed, and is large, under such a name.
    private async Task<IEnumerable<string>> LeftoversAsync(StoredBlob but)
        => (await LeftoversAsync()).Where(
            name => name != but.Location && !name.StartsWith("_blobs/", StringComparison.Ordinal));
}
