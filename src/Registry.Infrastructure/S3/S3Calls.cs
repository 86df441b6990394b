namespace Registry.Infrastructure.S3;

/// <summary>
/// How calls to one server are made: each within its time, and again while that may help and the budget that all of
/// them share allows it.
/// </summary>
internal sealed class S3Calls(TimeSpan timeout, S3Faults faults, TimeProvider time)
{
    private const int MaxTries = 4;

    private readonly RetryBudget _budget = new();

    /// <param name="patience">How many times the ordinary time one try may take.</param>
    /// <exception cref="Domain.Errors.StorageException">The call has failed for good.</exception>
    public async Task<T> MakeAsync<T>(
        int patience, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(timeout * patience);
            try
            {
                var result = await call(limit.Token);
                _budget.Earn();
                return result;
            }
            catch (Exception e) when (S3Faults.Covers(e) && !cancellationToken.IsCancellationRequested)
            {
                // What has used up its time is not worth twice that time.
                if (!S3Faults.IsPassing(e) || tries == MaxTries || time.GetElapsedTime(started) >= timeout
                    || !_budget.TryTake())
                    throw faults.Of(e);
            }

            await Task.Delay(RetryBudget.PauseBefore(tries), time, cancellationToken);
        }
    }
}
