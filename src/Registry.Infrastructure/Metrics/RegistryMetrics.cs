using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using Registry.Infrastructure.Proxies;
using Registry.Infrastructure.Upstreams;

namespace Registry.Infrastructure.Metrics;

/// <summary>
/// What the framework measures of this process: requests, connections, memory, collections, threads; what the
/// PostgreSQL provider measures of its commands; what upstreams are asked, and what is cached of them.
/// </summary>
public sealed class RegistryMetrics : IHostedLifecycleService, IDisposable
{
    private readonly PrometheusExporter _exporter = new();
    private Task<MeterProvider>? _provider;

    /// <summary>Everything measured since the start, in Prometheus' text format 0.0.4.</summary>
    public async Task<string> ScrapeAsync()
    {
        if (_provider is not null)
            await _provider;
        return _exporter.Scrape();
    }

    // Beside the first requests, which must not wait for it.
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _provider = Task.Run(
            () => Sdk.CreateMeterProviderBuilder()
                .AddMeter(
                    "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Npgsql",
                    UpstreamMetrics.MeterName, CacheMetrics.MeterName)
                .AddReader(new BaseExportingMetricReader(_exporter))
                .Build(),
            CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_provider is not null)
            (await _provider).Dispose();
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _exporter.Dispose();
}
