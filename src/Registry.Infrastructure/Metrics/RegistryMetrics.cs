using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Registry.Infrastructure.Metrics;

/// <summary>What the framework measures of this process: requests, connections, memory, collections, threads.</summary>
public sealed class RegistryMetrics : IHostedLifecycleService, IDisposable
{
    private readonly PrometheusExporter _exporter = new();
    private MeterProvider? _provider;

    /// <summary>Everything measured since the start, in Prometheus' text format 0.0.4.</summary>
    public string Scrape() => _exporter.Scrape();

    // Once requests are being served: measuring must not delay the first of them.
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddReader(new BaseExportingMetricReader(_exporter))
            .Build();
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _provider?.Dispose();
        _exporter.Dispose();
    }
}
