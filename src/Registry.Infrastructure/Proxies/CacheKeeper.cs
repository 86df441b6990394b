using MediatR;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Registry.Application.Proxies;
using Registry.Application.Registries;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Proxies;

/// <summary>
/// Keeps the caches of proxy registries to their size: soon after one may have outgrown it, and every few minutes, when
/// all of them are measured.
/// </summary>
internal sealed partial class CacheKeeper(
    IMediator mediator, RegistryMap registries, CacheGrowth growth, CacheMetrics metrics, TimeProvider time,
    ILogger<CacheKeeper> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    // What comes in this time is looked at together. To measure a large cache takes a while: it is a quarter of the
    // time at most, however much is pulled.
    private static readonly TimeSpan Gathering = TimeSpan.FromSeconds(1);
    private const int RestsPerWork = 3;

    private readonly Dictionary<RegistryName, long> _held = [];
    private readonly HashSet<RegistryName> _overfull = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var proxies = registries.All.Where(registry => registry.Settings.Kind is RegistryKind.Proxy).ToList();
        if (proxies.Count == 0)
            return;
        try
        {
            while (true)
            {
                var round = time.GetTimestamp();
                var worked = await KeepAsync(proxies, all: true, stoppingToken);
                for (var left = Interval; left > TimeSpan.Zero; left = Interval - time.GetElapsedTime(round))
                {
                    var rest = worked * RestsPerWork;
                    await Task.Delay(rest > Gathering ? rest : Gathering, time, stoppingToken);
                    await growth.WaitAsync(left, time, stoppingToken);
                    worked = await KeepAsync(proxies, all: false, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    /// <returns>How long it took.</returns>
    private async Task<TimeSpan> KeepAsync(
        IReadOnlyList<(RegistryName Name, RegistrySettings Settings)> proxies, bool all,
        CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        foreach (var (name, settings) in proxies)
        {
            var held = _held.GetValueOrDefault(name) + growth.Take(name);
            _held[name] = held;
            // Where nothing but pins is left, the next round is soon enough.
            if (all || (settings.MaxBytes > 0 && held > settings.MaxBytes && !_overfull.Contains(name)))
                await KeepAsync(name, settings, cancellationToken);
        }

        return time.GetElapsedTime(began);
    }

    private async Task KeepAsync(RegistryName registry, RegistrySettings settings, CancellationToken cancellationToken)
    {
        try
        {
            var kept = await mediator.Send(new EvictCachedCommand(registry), cancellationToken);
            if (!kept.TryGet(out var state, out _))
                return;
            _held[registry] = state.Bytes;
            metrics.Note(registry.Value, state);
            if (state.EvictedManifests > 0 || state.EvictedBytes > 0)
                Log.Evicted(logger, registry, state.EvictedManifests, state.EvictedBytes, state.Bytes);
            if (!state.PinsExceedCap)
                _overfull.Remove(registry);
            else if (_overfull.Add(registry)) // once, until it has changed
                Log.PinsExceedCap(logger, registry, state.Bytes, settings.MaxBytes);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.Failed(logger, registry, e); // the next time tries again
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Information,
            Message = "Evicted {Manifests} manifests and {EvictedBytes} bytes from registry {Registry}, "
                + "which holds {Bytes} bytes now.")]
        public static partial void Evicted(
            ILogger logger, RegistryName registry, int manifests, long evictedBytes, long bytes);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "Registry {Registry} holds {Bytes} bytes and nothing that is not pinned, more than its "
                + "MaxBytes of {MaxBytes}.")]
        public static partial void PinsExceedCap(ILogger logger, RegistryName registry, long bytes, long maxBytes);

        [LoggerMessage(Level = LogLevel.Error, Message = "Keeping the cache of registry {Registry} small failed.")]
        public static partial void Failed(ILogger logger, RegistryName registry, Exception e);
    }
}
