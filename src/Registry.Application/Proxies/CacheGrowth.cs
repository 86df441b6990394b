using System.Collections.Concurrent;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>What proxy registries have got since whoever sees to their size has last looked.</summary>
public sealed class CacheGrowth
{
    private readonly ConcurrentDictionary<RegistryName, long> _bytes = [];
    private volatile TaskCompletionSource _grown = New();

    /// <summary>Notes that a repository of the registry has got a blob.</summary>
    public void Note(RegistryName registry, long bytes)
    {
        _bytes.AddOrUpdate(registry, bytes, (_, before) => before + bytes);
        _grown.TrySetResult();
    }

    /// <summary>The bytes that were noted for a registry since this was last asked.</summary>
    public long Take(RegistryName registry) => _bytes.TryRemove(registry, out var bytes) ? bytes : 0;

    /// <summary>
    /// Returns when something was noted since the last time, or after <paramref name="patience"/>. For one caller.
    /// </summary>
    public async Task WaitAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        await _grown.Task.WaitAsync(patience, time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (_grown.Task.IsCompleted)
            _grown = New(); // what was noted just before is there to be taken
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
