using MediatR;
using Microsoft.Extensions.Logging;
using Registry.Application.Stores;
using Registry.Domain.Errors;

namespace Registry.Application.Proxies;

/// <summary>
/// Removes what is at cached locations and nobody has any more: what was pushed since, or deleted, and what a crash
/// left. Harmless to run at any time and on several nodes at once.
/// </summary>
public sealed record SweepCachedCommand : IRequest<Result<SweptCache>>;

/// <param name="Objects">How many were removed.</param>
public sealed record SweptCache(int Objects);

internal sealed partial class SweepCachedHandler(
    ICachedContent content, IBlobStores stores, TimeProvider time, ILogger<SweepCachedHandler> logger)
    : IRequestHandler<SweepCachedCommand, Result<SweptCache>>
{
    private const int BatchSize = 500;

    // Then a store is left alone until the next time.
    private const int MaxFailures = 10;

    // What has arrived gets its row at once.
    private static readonly TimeSpan Rest = TimeSpan.FromHours(1);

    private static readonly TimeSpan ReferrersRest = TimeSpan.FromDays(7);

    public async Task<Result<SweptCache>> Handle(SweepCachedCommand command, CancellationToken cancellationToken)
    {
        var removed = 0;
        foreach (var store in stores.All)
            removed += await SweepAsync(store, cancellationToken);
        await content.ForgetReferrersAsync(ReferrersRest, cancellationToken);
        return new SweptCache(removed);
    }

    private async Task<int> SweepAsync(IBlobStore store, CancellationToken cancellationToken)
    {
        var (removed, failures) = (0, 0);
        try
        {
            var locations = store.ListCachedAsync(time.GetUtcNow() - Rest, cancellationToken);
            await foreach (var batch in locations.Chunk(BatchSize).WithCancellation(cancellationToken))
            {
                foreach (var unused in await content.ReleaseUnusedAsync(store.Name, batch, cancellationToken))
                {
                    if (await TryRemoveAsync(store, unused, cancellationToken))
                        removed++;
                    else if (++failures == MaxFailures)
                        return removed;
                }
            }
        }
        catch (StorageException cause)
        {
            Log.NotSwept(logger, store.Name, cause.Message);
        }

        return removed;
    }

    private async Task<bool> TryRemoveAsync(
        IBlobStore store, CachedLocation unused, CancellationToken cancellationToken)
    {
        try
        {
            await store.RemoveCachedAsync(unused.Digest, unused.Location, cancellationToken);
            return true;
        }
        catch (StorageException cause)
        {
            Log.NotRemoved(logger, store.Name, unused.Location, cause.Message);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning, "Store {Store}: what is cached there could not be looked through: {Problem}")]
        public static partial void NotSwept(ILogger logger, string store, string problem);

        [LoggerMessage(
            LogLevel.Warning, "Store {Store}: {Location}, which nobody has, could not be removed: {Problem}")]
        public static partial void NotRemoved(ILogger logger, string store, string location, string problem);
    }
}
