using NSubstitute;
using NSubstitute.ExceptionExtensions;
using Registry.Application.Proxies;
using Registry.Application.Stores;
using Registry.Domain.Errors;

namespace Registry.Application.Tests.Proxies;

public sealed class SweepCachedTests
{
    private readonly List<CachedLocation> _used = [];

    [Fact]
    public async Task What_nobody_has_is_removed_and_nothing_else()
    {
        await using var cases = Prepare(1300);
        _used.AddRange(Enumerable.Range(0, 1300).Where(number => number % 2 == 0).Select(Place));

        Assert.Equal(new(650), await cases.GetAsync(new SweepCachedCommand()));

        await cases.Store.ReceivedWithAnyArgs(650).RemoveCachedAsync(default!, default!, default);
        await cases.Store.Received(1).RemoveCachedAsync(Place(1299).Digest, Place(1299).Location, Arg.Any<CancellationToken>());
        await cases.Store.DidNotReceive().RemoveCachedAsync(Place(0).Digest, Arg.Any<string>(), Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task Only_what_is_older_than_an_hour_is_looked_at()
    {
        await using var cases = Prepare(1);
        var now = DateTimeOffset.UtcNow;

        await cases.GetAsync(new SweepCachedCommand());

        cases.Store.Received(1).ListCachedAsync(
            Arg.Is<DateTimeOffset>(time => time > now.AddMinutes(-61) && time < now.AddMinutes(-59)), Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task What_cannot_be_removed_does_not_keep_the_rest()
    {
        await using var cases = Prepare(5);
        cases.Store.RemoveCachedAsync(Place(1).Digest, Place(1).Location, Arg.Any<CancellationToken>()).ThrowsAsync(Broken());

        Assert.Equal(new(4), await cases.GetAsync(new SweepCachedCommand()));
    }

    [Fact]
    public async Task A_store_in_which_nothing_can_be_removed_is_left_alone()
    {
        await using var cases = Prepare(1000);
        cases.Store.RemoveCachedAsync(default!, default!, default).ThrowsAsyncForAnyArgs(Broken());

        Assert.Equal(new(0), await cases.GetAsync(new SweepCachedCommand()));

        await cases.Store.ReceivedWithAnyArgs(10).RemoveCachedAsync(default!, default!, default);
    }

    [Fact]
    public async Task A_store_that_cannot_be_listed_does_not_stop_what_comes_behind_it()
    {
        await using var cases = Prepare(1);
        cases.Store.ListCachedAsync(default, default).ThrowsForAnyArgs(Broken());

        Assert.Equal(new(0), await cases.GetAsync(new SweepCachedCommand()));

        await cases.Content.Received(1).ForgetReferrersAsync(TimeSpan.FromDays(7), Arg.Any<CancellationToken>());
    }

    private static CachedLocation Place(int number) => new(FakeCache.DigestOf($"{number}"), $"cached/{number}");

    private static StorageException Broken() => new(OciError.Unavailable("store 'default'"), new IOException());

    private UseCases Prepare(int places)
    {
        var cases = new UseCases();
        cases.Store.ListCachedAsync(default, default).ReturnsForAnyArgs(Enumerable.Range(0, places).Select(Place).ToAsyncEnumerable());
        cases.Content.ReleaseUnusedAsync(default!, default!, default).ReturnsForAnyArgs(
            call => [.. call.Arg<IReadOnlyList<CachedLocation>>().Except(_used)]);
        return cases;
    }
}
