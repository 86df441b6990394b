using Microsoft.Extensions.Hosting;

namespace Registry.Infrastructure.Database;

/// <summary>
/// Writes down from time to time, and when the server stops, what was noted in memory: no request waits for it. What a
/// killed process has not written is forgotten.
/// </summary>
internal abstract class DeferredWrites(TimeSpan interval, TimeProvider time) : BackgroundService
{
    /// <summary>Writes down what was noted up to now.</summary>
    public abstract Task WriteAsync(CancellationToken cancellationToken);

    /// <summary>Tells that it has begun to fail; it goes on trying.</summary>
    protected abstract void TellFailing(string problem);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failing = false;
        using var timer = new PeriodicTimer(interval, time);
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
            await WriteAsync(cancellationToken);
            return false;
        }
        catch (Exception e) when (e is not OperationCanceledException) // nothing that matters ends the server
        {
            if (!failing)
                TellFailing(e.GetBaseException().Message);
            return true;
        }
    }
}
