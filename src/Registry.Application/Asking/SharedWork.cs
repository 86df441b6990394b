using System.Collections.Concurrent;

namespace Registry.Application.Asking;

/// <summary>Work that many ask for at once and that is done once: all of them wait for the same answer.</summary>
public sealed class SharedWork<TKey, TAnswer>
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Lazy<Task<TAnswer>>> _running = new();

    /// <param name="key">Of the same work.</param>
    /// <param name="cancellationToken">Ends the wait; the work goes on, for others may wait for it.</param>
    public Task<TAnswer> DoAsync(TKey key, Func<Task<TAnswer>> work, CancellationToken cancellationToken)
        => _running.GetOrAdd(key, _ => new(() => RunAsync(key, work))).Value.WaitAsync(cancellationToken);

    private async Task<TAnswer> RunAsync(TKey key, Func<Task<TAnswer>> work)
    {
        await Task.Yield(); // the entry must be there before it is taken away
        try
        {
            return await work();
        }
        finally
        {
            _running.TryRemove(key, out _);
        }
    }
}
