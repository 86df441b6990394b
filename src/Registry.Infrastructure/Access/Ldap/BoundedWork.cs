using Registry.Application.Asking;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>
/// Shared work of which so much is done at a time; whoever would wait for too long, or behind too many others, is told.
/// </summary>
internal sealed class BoundedWork<T>(int atOnce, int maxWaiting) : IDisposable
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    private readonly SharedWork<string, T> _work = new();
    private readonly SemaphoreSlim _turn = new(atOnce, atOnce);
    private int _waiting;

    /// <param name="busy">The answer to who cannot have a turn.</param>
    /// <inheritdoc cref="SharedWork{TKey,TAnswer}.DoAsync"/>
    public Task<T> DoAsync(string key, Func<Task<T>> work, T busy, CancellationToken cancellationToken)
        => _work.DoAsync(key, () => TakeTurnAsync(work, busy), cancellationToken);

    public void Dispose() => _turn.Dispose();

    private async Task<T> TakeTurnAsync(Func<Task<T>> work, T busy)
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
        }
    }
}
