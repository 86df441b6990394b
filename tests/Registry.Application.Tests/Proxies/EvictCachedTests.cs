using NSubstitute;
using NSubstitute.ExceptionExtensions;
using Registry.Domain.Errors;

namespace Registry.Application.Tests.Proxies;

public sealed class EvictCachedTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public async Task What_fits_stays(long maxBytes)
    {
        await using var cache = new FakeCache(maxBytes);
        Fill(cache, 10);

        Assert.Equal(new(1000, 0, 0, PinsExceedCap: false), await cache.KeepAsync());

        Assert.Empty(cache.Evicted);
    }

    [Fact]
    public async Task What_was_not_used_for_longest_goes_until_there_is_some_room()
    {
        await using var cache = new FakeCache(1000);
        Fill(cache, 12);

        Assert.Equal(new(900, 3, 300, PinsExceedCap: false), await cache.KeepAsync()); // at most 95 %

        Assert.Equal(["0", "1", "2"], cache.Evicted);
        foreach (var name in cache.Evicted)
            await cache.Cases.Store.Received(1).RemoveCachedAsync(FakeCache.DigestOf(name), $"cached/team/{name}", Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task What_is_pinned_stays_and_what_is_not_goes_in_its_place()
    {
        await using var cache = new FakeCache(500, "team/0", "**:kept", "team/3:v*");
        Fill(cache, 3);
        cache.Add(FakeCache.Item("3", 3, "latest", "v1"));
        cache.Add(FakeCache.Item("4", 4, "latest"));
        cache.Add(FakeCache.Item("5", 5, "kept"));
        cache.Add(FakeCache.Item("6", 6));

        Assert.False((await cache.KeepAsync()).PinsExceedCap);

        Assert.Equal(["1", "2", "4"], cache.Evicted);
    }

    [Fact]
    public async Task It_says_when_there_are_too_many_pins()
    {
        await using var cache = new FakeCache(100, "**:kept");
        for (var number = 0; number < 10; number++)
            cache.Add(FakeCache.Item($"{number}", number, number % 2 == 0 ? ["kept"] : []));

        Assert.Equal(new(500, 5, 500, PinsExceedCap: true), await cache.KeepAsync());
        Assert.Equal(new(500, 0, 0, PinsExceedCap: true), await cache.KeepAsync());
    }

    [Fact]
    public async Task What_an_index_has_held_takes_its_turn_among_what_was_used_when_it_was()
    {
        await using var cache = new FakeCache(500);
        cache.Add(FakeCache.Item("index", 0), FakeCache.Item("child", 1), FakeCache.Item("busy-child", 1000));
        Fill(cache, 6, from: 10);

        await cache.KeepAsync(); // from 900 to 400

        Assert.Equal(["index", "child", "10", "11", "12"], cache.Evicted);
        Assert.Contains(FakeCache.DigestOf("busy-child"), cache.Left);
    }

    [Fact]
    public async Task What_another_node_has_evicted_counts()
    {
        await using var cache = new FakeCache(1000);
        for (var number = 0; number < 30; number++)
            cache.AddStubborn(FakeCache.Item($"{number}", number));
        Fill(cache, 9, from: 30);

        Assert.Equal(800, (await cache.KeepAsync()).Bytes);

        Assert.Equal(["30"], cache.Evicted); // one too many, for which it was measured once instead of thirty times
        await cache.Cases.Content.ReceivedWithAnyArgs(3).MeasureAsync(default!, default);
    }

    [Fact]
    public async Task What_was_pulled_need_not_be_written_to_make_room()
    {
        await using var cache = new FakeCache(1000);
        Fill(cache, 12);
        cache.Cases.Pulls.Note(FakeCache.Item("3", 3).Repository, FakeCache.DigestOf("3"));
        cache.Cases.Content.MarkPulledAsync(default!, default).ThrowsAsyncForAnyArgs(
            new StorageException(OciError.Unavailable("database"), new IOException()));

        Assert.Equal(900, (await cache.KeepAsync()).Bytes);
    }

    [Fact]
    public async Task A_store_that_fails_does_not_stop_it_and_is_asked_once()
    {
        await using var cache = new FakeCache(1000);
        Fill(cache, 12);
        cache.Cases.Store.RemoveCachedAsync(default!, default!, default).ThrowsAsyncForAnyArgs(
            new StorageException(OciError.Unavailable("store 'default'"), new IOException()));

        Assert.Equal(900, (await cache.KeepAsync()).Bytes);
        await cache.Cases.Store.ReceivedWithAnyArgs(1).RemoveCachedAsync(default!, default!, default);
    }

    private static void Fill(FakeCache cache, int count, int from = 0)
    {
        for (var number = from; number < from + count; number++)
            cache.Add(FakeCache.Item($"{number}", number));
    }
}
