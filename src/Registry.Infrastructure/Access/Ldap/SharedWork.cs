using System.Collections.Concurrent;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>
/// Work that many ask for at once and that is done once: the many requests with which a client begins wait for the same
/// answer. So much of it is done at a time, and whoever would wait for too long, or behind too many others, is told.
/// </summary>
internal sealed class SharedWork<T>(int atOnce, int maxWaiting) : IDisposable
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Lazy<Task<T>>> _running = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _turn = new(atOnce, atOnce);
    private int _waiting;

    /// <param name="key">Of the same work.</param>
    /// <param name="busy">The answer to who cannot have a turn.</param>
    /// <param name="cancellationToken">Ends the wait; the work goes on, for others may wait for it.</param>
    public Task<T> DoAsync(string key, Func<Task<T>> work, T busy, CancellationToken cancellationToken)
        => _running.GetOrAdd(key, _ => new(() => TakeTurnAsync(key, work, busy))).Value.WaitAsync(cancellationToken);

    public void Dispose() => _turn.Dispose();

    private async Task<T> TakeTurnAsync(string key, Func<Task<T>> work, T busy)
    {
        try
        {
            if (Interlocked.Increment(ref _waiting) > atOnce + maxWaiting || !await _turn.WaitAsync(MaxWait))
                return busy;
            try
            {
                return await work();
            }
            finally
            {
                _turn.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
            _running.TryRemove(key, out _);
        }
    }
}
