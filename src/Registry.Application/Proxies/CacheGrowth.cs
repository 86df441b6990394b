namespace Registry.Application.Proxies;

/// <summary>Tells whoever sees to the size of the caches that they may have grown.</summary>
public sealed class CacheGrowth : IDisposable
{
    private readonly SemaphoreSlim _grown = new(0, 1);

    public void Announce()
    {
        try
        {
            if (_grown.CurrentCount == 0)
                _grown.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else was first.
        }
    }

    /// <summary>
    /// Returns when there was an announcement since the last time, or after <paramref name="patience"/>.
    /// </summary>
    /// <returns>Whether there was one.</returns>
    public Task<bool> WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
        => _grown.WaitAsync(patience, cancellationToken);

    public void Dispose() => _grown.Dispose();
}
