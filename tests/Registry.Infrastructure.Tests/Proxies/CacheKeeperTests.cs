using MediatR;
using Microsoft.Extensions.Logging.Abstractions;
using NSubstitute;
using Registry.Application.Proxies;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Proxies;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Infrastructure.Tests.Proxies;

/// <summary>When the caches are measured; what is evicted then, others test.</summary>
public sealed class CacheKeeperTests : IAsyncDisposable
{
    private static readonly RegistryName Capped = RegistryName.Parse("capped");
    private static readonly RegistryName Free = RegistryName.Parse("free");

    private readonly ManualTime _time = new();
    private readonly CacheGrowth _growth = new();
    private readonly CacheMetrics _metrics = new();
    private readonly List<RegistryName> _measured = [];
    private CacheKeeper? _keeper;

    private CacheState State { get; set; } = new(900, 0, 0, PinsExceedCap: false);

    public async ValueTask DisposeAsync()
    {
        if (_keeper is not null)
            await _keeper.StopAsync(CancellationToken.None);
        _keeper?.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task All_are_measured_at_start_and_every_five_minutes_whatever_comes_meanwhile()
    {
        await StartAsync();
        await MeasuredAsync([Capped, Free]);

        for (var minute = 0; minute < 5; minute++)
        {
            _growth.Note(Free, 1);
            await PassAsync(TimeSpan.FromMinutes(1));
        }

        await MeasuredAsync([Capped, Free, Capped, Free]);
    }

    [Fact]
    public async Task One_that_may_have_outgrown_its_size_is_measured_soon_and_no_other()
    {
        await StartAsync();
        await MeasuredAsync([Capped, Free]);

        _growth.Note(Free, 5000);
        _growth.Note(Capped, 100); // 1000 of 1000
        await PassAsync(TimeSpan.FromSeconds(30));
        await MeasuredAsync([Capped, Free]);
        _growth.Note(Capped, 1);
        await PassAsync(TimeSpan.FromSeconds(30));

        await MeasuredAsync([Capped, Free, Capped]);
    }

    [Fact]
    public async Task One_with_too_many_pins_waits_for_its_turn()
    {
        State = new(2000, 0, 0, PinsExceedCap: true);
        await StartAsync();
        await MeasuredAsync([Capped, Free]);

        _growth.Note(Capped, 5000);
        await PassAsync(TimeSpan.FromMinutes(1));
        await MeasuredAsync([Capped, Free]);
        await PassAsync(TimeSpan.FromMinutes(5));

        await MeasuredAsync([Capped, Free, Capped, Free]);
    }

    private async Task StartAsync()
    {
        var mediator = Substitute.For<IMediator>();
        mediator.Send(Arg.Any<EvictCachedCommand>(), Arg.Any<CancellationToken>()).Returns(call =>
        {
            lock (_measured)
                _measured.Add(call.Arg<EvictCachedCommand>().Registry);
            return Result<CacheState>.Of(State);
        });
        var stores = Substitute.For<IBlobStores>();
        stores.Find("default").Returns(Substitute.For<IBlobStore>());
        var registries = new RegistryMap(
            new Dictionary<string, RegistrySettings>(StringComparer.Ordinal)
            {
                ["default"] = new(),
                ["capped"] = new() { Kind = RegistryKind.Proxy, Path = "capped", Upstream = "https://a.example.com", MaxBytes = 1000 },
                ["free"] = new() { Kind = RegistryKind.Proxy, Path = "free", Upstream = "https://b.example.com" },
            },
            stores);
        _keeper = new(mediator, registries, _growth, _metrics, _time, NullLogger<CacheKeeper>.Instance);
        await _keeper.StartAsync(CancellationToken.None);
    }

    // In small steps, between which the keeper comes to its next wait.
    private async Task PassAsync(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(5))
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            await Task.Delay(5);
        }
    }

    private async Task MeasuredAsync(RegistryName[] expected)
    {
        for (var wait = 0; wait < 400 && Measured().Length < expected.Length; wait++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5);
        }

        Assert.Equal(expected, Measured());
    }

    private RegistryName[] Measured()
    {
        lock (_measured)
            return [.. _measured];
    }
}
