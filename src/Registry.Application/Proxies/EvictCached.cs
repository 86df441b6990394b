using MediatR;
using Microsoft.Extensions.Logging;
using Registry.Application.Stores;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// Measures what a proxy registry holds and, when that is more than it may, evicts what was not used for longest until
/// it is somewhat less. Harmless to run at any time and on several nodes at once.
/// </summary>
public sealed record EvictCachedCommand(RegistryName Registry) : IRequest<Result<CacheState>>;

/// <param name="Bytes">What the registry holds now.</param>
/// <param name="EvictedManifests">How many were evicted.</param>
/// <param name="EvictedBytes">How much less it holds for that.</param>
/// <param name="PinsExceedCap">Whether it holds too much, and all of that is pinned.</param>
public sealed record CacheState(long Bytes, int EvictedManifests, long EvictedBytes, bool PinsExceedCap);

internal sealed partial class EvictCachedHandler(
    ICachedContent content, ManifestPulls pulls, IBlobStores stores, ProxyRules rules,
    ILogger<EvictCachedHandler> logger)
    : IRequestHandler<EvictCachedCommand, Result<CacheState>>
{
    private const int PageSize = 5000; // each page looks at all that is cached

    // Below the cap, so that not every pull has to evict something.
    private const int RoomPercent = 5;

    public async Task<Result<CacheState>> Handle(EvictCachedCommand command, CancellationToken cancellationToken)
    {
        var cap = rules.MaxBytesOf(command.Registry);
        var bytes = await content.MeasureAsync(command.Registry, cancellationToken);
        if (cap == 0 || bytes <= cap)
            return new CacheState(bytes, 0, 0, PinsExceedCap: false);
        try
        {
            await pulls.WriteAsync(cancellationToken);
        }
        catch (StorageException cause)
        {
            Log.PullsNotWritten(logger, cause.Message); // to evict may be what makes room for them
        }

        return await EvictAsync(command.Registry, bytes, cap, cancellationToken);
    }

    private async Task<CacheState> EvictAsync(
        RegistryName registry, long bytes, long cap, CancellationToken cancellationToken)
    {
        var target = cap - (cap / 100 * RoomPercent);
        var (manifests, evictedBytes, missed, pinned) = (0, 0L, false, false);
        var failed = new HashSet<string>(StringComparer.Ordinal);
        var next = new PriorityQueue<CachedItem, CachedItem>(CachedItem.Order);
        CachedItem? last = null;
        var more = true;
        while (bytes > target)
        {
            if (more && next.Count == 0)
            {
                var page = await content.ListOldestAsync(registry, last, PageSize, cancellationToken);
                (more, last) = (page.Count > 0, page.Count > 0 ? page[^1] : last);
                next.EnqueueRange(page.Select(item => (item, item)));
                continue;
            }

            if (!next.TryDequeue(out var oldest, out _))
                break;
            if (IsPinned(oldest.Tags))
                continue;
            if (await content.EvictAsync(oldest, IsPinned, cancellationToken) is not { } evicted)
            {
                missed = true;
                continue;
            }

            await RemoveAsync(evicted.Removable, failed);
            // What was missed may have gone by another node. To measure for each of it would take long: one too many.
            bytes = missed ? await content.MeasureAsync(registry, cancellationToken) : bytes - evicted.Bytes;
            missed = false;
            (manifests, evictedBytes) = (manifests + evicted.Manifests, evictedBytes + evicted.Bytes);
            // What an index has released takes its turn among those of its time; the later ones come with a page.
            next.EnqueueRange(evicted.Released.Where(item => item.IsUpTo(last!)).Select(item => (item, item)));

            bool IsPinned(IReadOnlyList<string> tags)
            {
                var isPinned = rules.IsPinned(oldest.Repository, tags);
                pinned |= isPinned;
                return isPinned;
            }
        }

        bytes = await content.MeasureAsync(registry, cancellationToken);
        return new(bytes, manifests, evictedBytes, pinned && bytes > cap && next.Count == 0);
    }

    // Not given up when the server stops: nobody but the sweep would find them. A store that fails is left to it.
    private async Task RemoveAsync(IReadOnlyList<StoredBlob> blobs, HashSet<string> failed)
    {
        foreach (var blob in blobs)
        {
            try
            {
                if (!failed.Contains(blob.Store) && stores.Find(blob.Store) is { } store)
                    await store.RemoveCachedAsync(blob.Digest, blob.Location, CancellationToken.None);
            }
            catch (StorageException cause)
            {
                failed.Add(blob.Store);
                Log.NotRemoved(logger, blob.Store, blob.Location, cause.Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning,
            "Store {Store}: {Location}, which was evicted, could not be removed ({Problem}); "
            + "the sweep will try again, and with what is evicted after it.")]
        public static partial void NotRemoved(ILogger logger, string store, string location, string problem);

        [LoggerMessage(
            LogLevel.Warning, "When manifests were last pulled could not be written before the eviction: {Problem}")]
        public static partial void PullsNotWritten(ILogger logger, string problem);
    }
}
