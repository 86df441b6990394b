using MediatR;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Registry.Application.Proxies;

namespace Registry.Infrastructure.Proxies;

/// <summary>
/// Removes cached bytes that nobody has any more, at start and every hour: also those of proxies that are no more.
/// </summary>
internal sealed partial class CacheSweep(IMediator mediator, TimeProvider time, ILogger<CacheSweep> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
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
            Message = "Removed {Objects} cached objects that no repository has any more.")]
        public static partial void Swept(ILogger logger, int objects);

        [LoggerMessage(Level = LogLevel.Error, Message = "Removing cached objects that nobody has failed.")]
        public static partial void Failed(ILogger logger, Exception e);
    }
}
