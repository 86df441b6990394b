using MediatR;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Registry.Application.Proxies;
using Registry.Application.Registries;

namespace Registry.Infrastructure.Proxies;

/// <summary>Removes cached bytes that no blob is at any more, at start and every hour.</summary>
internal sealed partial class CacheSweep(
    IMediator mediator, RegistryMap registries, TimeProvider time, ILogger<CacheSweep> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (registries.All.All(registry => registry.Settings.Kind is not RegistryKind.Proxy))
            return;
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
                await SweepAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        try
        {
            var swept = await mediator.Send(new SweepCachedCommand(), cancellationToken);
            if (swept.TryGet(out var cache, out _) && cache.Objects > 0)
                Log.Swept(logger, cache.Objects);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.Failed(logger, e); // the next hour tries again
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Information,
            Message = "Removed {Objects} cached objects that belong to no blob any more.")]
        public static partial void Swept(ILogger logger, int objects);

        [LoggerMessage(Level = LogLevel.Error, Message = "Removing cached objects without a blob failed.")]
        public static partial void Failed(ILogger logger, Exception e);
    }
}
