using MediatR;
using Registry.Application.Stores;
using Registry.Domain.Errors;

namespace Registry.Application.Proxies;

/// <summary>
/// Removes what is at cached locations that no blob is at any more: what was pushed since, and what a crash left.
/// Harmless to run at any time and on several nodes at once.
/// </summary>
public sealed record SweepCachedCommand : IRequest<Result<SweptCache>>;

/// <param name="Objects">How many were removed.</param>
public sealed record SweptCache(int Objects);

internal sealed class SweepCachedHandler(ICachedContent content, IBlobStores stores, TimeProvider time)
    : IRequestHandler<SweepCachedCommand, Result<SweptCache>>
{
    private const int BatchSize = 500;

    private static readonly TimeSpan Rest = TimeSpan.FromHours(1);

    // What has arrived gets its row at once. A server may count an object's age from the first byte of a download that
    // has taken long: what has no row is looked for again before it goes.
    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(30);

    public async Task<Result<SweptCache>> Handle(SweepCachedCommand command, CancellationToken cancellationToken)
    {
        var removed = 0;
        foreach (var store in stores.All)
        {
            var (batch, unknown) = (new List<CachedLocation>(BatchSize), new List<CachedLocation>());
            await foreach (var location in store.ListCachedAsync(time.GetUtcNow() - Rest, cancellationToken))
            {
                batch.Add(location);
                if (batch.Count < BatchSize)
                    continue;
                unknown.AddRange(await content.ListUnknownAsync(store.Name, batch, cancellationToken));
                batch.Clear();
                if (unknown.Count < BatchSize)
                    continue;
                removed += await RemoveAsync(store, unknown, cancellationToken);
                unknown.Clear();
            }

            unknown.AddRange(await content.ListUnknownAsync(store.Name, batch, cancellationToken));
            removed += await RemoveAsync(store, unknown, cancellationToken);
        }

        return new SweptCache(removed);
    }

    private async Task<int> RemoveAsync(
        IBlobStore store, IReadOnlyList<CachedLocation> unknown, CancellationToken cancellationToken)
    {
        if (unknown.Count == 0)
            return 0;
        await Task.Delay(SecondLook, time, cancellationToken);
        var removable = await content.ListUnknownAsync(store.Name, unknown, cancellationToken);
        foreach (var location in removable)
            await store.RemoveCachedAsync(location.Digest, location.Location, cancellationToken);
        return removable.Count;
    }
}
