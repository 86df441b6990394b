using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Registry.Application.Proxies;
using Registry.Application.Registries;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Upstreams;

internal sealed class HttpUpstreams : IUpstreams, IDisposable
{
    private readonly UpstreamMetrics _metrics = new();
    private readonly FrozenDictionary<RegistryName, HttpUpstream> _byRegistry;
    private bool _disposed;

    /// <exception cref="FormatException">Settings of a proxy name no address or networks.</exception>
    public HttpUpstreams(
        IReadOnlyDictionary<string, RegistrySettings> registries, int maxManifestBytes, TimeProvider time,
        ILogger<HttpUpstreams> logger)
        => _byRegistry = registries.Where(registry => registry.Value.Kind is RegistryKind.Proxy).ToFrozenDictionary(
            registry => RegistryName.Parse(registry.Key),
            registry => new HttpUpstream(registry.Key, registry.Value, maxManifestBytes, _metrics, time, logger));

    public IUpstream Of(RegistryName registry)
        => _byRegistry.TryGetValue(registry, out var upstream)
            ? upstream
            : throw new ArgumentException($"Registry '{registry}' is no proxy.", nameof(registry));

    /// <exception cref="StartRefusedException">A file that a proxy's settings name cannot be used.</exception>
    public void Open()
    {
        foreach (var upstream in _byRegistry.Values)
            upstream.Open();
    }

    public void Dispose()
    {
        if (_disposed)
            return; // under two names it is disposed twice
        _disposed = true;
        foreach (var upstream in _byRegistry.Values)
            upstream.Dispose();
        _metrics.Dispose();
    }
}
