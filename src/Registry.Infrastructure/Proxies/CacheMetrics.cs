using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Registry.Application.Proxies;

namespace Registry.Infrastructure.Proxies;

/// <summary>What is measured of caches: what they hold, and what was evicted.</summary>
internal sealed class CacheMetrics : IDisposable
{
    public const string MeterName = "Registry.Proxies";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _manifests;
    private readonly Counter<long> _bytes;
    private readonly ConcurrentDictionary<string, long> _held = new(StringComparer.Ordinal);

    public CacheMetrics()
    {
        _manifests = _meter.CreateCounter<long>(
            "registry.proxy.evicted.manifests", "{manifest}", "Manifests that were evicted from proxy registries.");
        _bytes = _meter.CreateCounter<long>(
            "registry.proxy.evicted.bytes", "By", "How much less proxy registries hold for what was evicted.");
        _meter.CreateObservableGauge(
            "registry.proxy.cached.bytes",
            () => _held.Select(held => new Measurement<long>(held.Value, Label(held.Key))),
            "By",
            "What proxy registries hold, as last measured.");
    }

    public void Note(string registry, CacheState state)
    {
        _held[registry] = state.Bytes;
        _manifests.Add(state.EvictedManifests, Label(registry));
        _bytes.Add(state.EvictedBytes, Label(registry));
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Label(string registry) => new("registry", registry);
}
