using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Registry.Application.Proxies;

namespace Registry.Infrastructure.Proxies;

/// <summary>
/// Writes down every few seconds, and when the server stops, what was pulled through proxies: a manifest that is pulled
/// a thousand times meanwhile costs one write.
/// </summary>
internal sealed partial class PullWriter(ManifestPulls pulls, TimeProvider time, ILogger<PullWriter> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failing = false;
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                failing = await TryWriteAsync(failing, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await TryWriteAsync(failing, CancellationToken.None); // the server stops
        }
    }

    /// <param name="failing">Whether it has failed the last time, which was told then.</param>
    /// <returns>Whether it fails.</returns>
    private async Task<bool> TryWriteAsync(bool failing, CancellationToken cancellationToken)
    {
        try
        {
            await pulls.WriteAsync(cancellationToken);
            return false;
        }
        catch (Exception e) when (e is not OperationCanceledException) // nothing that matters ends the server
        {
            if (!failing)
                Log.NotWritten(logger, e.GetBaseException().Message);
            return true;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "When cached manifests were pulled cannot be written down ({Problem}).")]
        public static partial void NotWritten(ILogger logger, string problem);
    }
}
