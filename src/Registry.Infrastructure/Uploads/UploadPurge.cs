using MediatR;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Registry.Application.Uploads;

namespace Registry.Infrastructure.Uploads;

/// <summary>Drops abandoned uploads at start and every hour.</summary>
internal sealed partial class UploadPurge(IMediator mediator, TimeProvider time, ILogger<UploadPurge> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
                await PurgeAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private async Task PurgeAsync(CancellationToken cancellationToken)
    {
        try
        {
            var purged = await mediator.Send(new PurgeUploadsCommand(), cancellationToken);
            if (purged.TryGet(out var uploads, out _) && uploads.Sessions + uploads.Leftovers > 0)
                Log.Purged(logger, uploads.Sessions, uploads.Leftovers);
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
            Message = "Dropped {Sessions} expired uploads and {Leftovers} leftovers without a session.")]
        public static partial void Purged(ILogger logger, int sessions, int leftovers);

        [LoggerMessage(Level = LogLevel.Error, Message = "Dropping abandoned uploads failed.")]
        public static partial void Failed(ILogger logger, Exception e);
    }
}
