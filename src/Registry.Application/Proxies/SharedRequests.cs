using System.Collections.Concurrent;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>Requests to upstreams that many wait for and that are sent once.</summary>
internal sealed class SharedRequests<T>
{
    private readonly ConcurrentDictionary<(RepositoryIdentity, string), Lazy<Task<T>>> _running = [];

    /// <summary>
    /// The answer to the request for <paramref name="what"/> that is under way, or of a new one. It goes on when nobody
    /// waits for it any more.
    /// </summary>
    /// <param name="what">A tag or digest.</param>
    public Task<T> SendAsync(RepositoryIdentity repository, object what, Func<Task<T>> send)
    {
        var key = (repository, what.ToString()!);
        return _running.GetOrAdd(key, _ => new(() => RunAsync(key, send))).Value;
    }

    private async Task<T> RunAsync((RepositoryIdentity, string) key, Func<Task<T>> send)
    {
        await Task.Yield(); // the entry must be there before it is taken away
        try
        {
            return await send();
        }
        finally
        {
            _running.TryRemove(key, out _);
        }
    }
}
