using NSubstitute;
using Registry.Application.Proxies;
using Registry.Application.Stores;

namespace Registry.Application.Tests.Proxies;

public sealed class SweepCachedTests
{
    private readonly Clock _clock = new();
    private readonly List<CachedLocation> _known = [];

    [Fact]
    public async Task What_no_blob_is_at_is_removed_and_nothing_else()
    {
        await using var cases = Prepare([.. Enumerable.Range(0, 1300).Select(Place)]);
        _known.AddRange(Enumerable.Range(0, 1300).Where(number => number % 2 == 0).Select(Place));

        Assert.Equal(new(650), await cases.GetAsync(new SweepCachedCommand()));

        await cases.Store.ReceivedWithAnyArgs(650).RemoveCachedAsync(default!, default!, default);
        await cases.Store.Received(1).RemoveCachedAsync(Place(1299).Digest, Place(1299).Location, Arg.Any<CancellationToken>());
        await cases.Store.DidNotReceive().RemoveCachedAsync(Place(0).Digest, Arg.Any<string>(), Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task What_gets_its_blob_at_the_last_moment_stays()
    {
        await using var cases = Prepare([Place(1), Place(2)]);
        _clock.Waited = () => _known.Add(Place(1));

        Assert.Equal(new(1), await cases.GetAsync(new SweepCachedCommand()));

        await cases.Store.DidNotReceive().RemoveCachedAsync(Place(1).Digest, Arg.Any<string>(), Arg.Any<CancellationToken>());
        Assert.Equal(TimeSpan.FromSeconds(30), _clock.Slept);
    }

    [Fact]
    public async Task Only_what_is_older_than_an_hour_is_looked_at_and_without_anything_to_remove_nobody_waits()
    {
        await using var cases = Prepare([Place(1)]);
        _known.Add(Place(1));

        Assert.Equal(new(0), await cases.GetAsync(new SweepCachedCommand()));

        cases.Store.Received(1).ListCachedAsync(_clock.GetUtcNow() - TimeSpan.FromHours(1), Arg.Any<CancellationToken>());
        Assert.Equal(TimeSpan.Zero, _clock.Slept);
    }

    private static CachedLocation Place(int number) => new(FakeCache.DigestOf($"{number}"), $"cached/{number}");

    private UseCases Prepare(CachedLocation[] places)
    {
        var cases = new UseCases { Time = _clock };
        cases.Store.ListCachedAsync(default, default).ReturnsForAnyArgs(places.ToAsyncEnumerable());
        cases.Content.ListUnknownAsync(default!, default!, default).ReturnsForAnyArgs(
            call => [.. call.Arg<IReadOnlyList<CachedLocation>>().Except(_known)]);
        return cases;
    }

    /// <summary>Time stands still, and who waits has waited.</summary>
    private sealed class Clock : TimeProvider
    {
        public Action Waited { get; set; } = () => { };

        public TimeSpan Slept { get; private set; }

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(50);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Slept += dueTime;
            Waited();
            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
