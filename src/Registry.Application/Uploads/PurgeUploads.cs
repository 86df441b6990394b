using MediatR;
using Registry.Application.Stores;
using Registry.Domain.Errors;

namespace Registry.Application.Uploads;

/// <summary>
/// Drops expired upload sessions and staged bytes that no session knows (what a crash leaves behind). Harmless to run
/// at any time and on several nodes at once.
/// </summary>
public sealed record PurgeUploadsCommand : IRequest<Result<PurgedUploads>>;

/// <param name="Sessions">Expired sessions dropped.</param>
/// <param name="Leftovers">Staged uploads without a session dropped.</param>
public sealed record PurgedUploads(int Sessions, int Leftovers);

internal sealed class PurgeUploadsHandler(
    IUploadSessions sessions, IBlobStores stores, UploadOptions options, TimeProvider time)
    : IRequestHandler<PurgeUploadsCommand, Result<PurgedUploads>>
{
    private const int BatchSize = 100;

    // A blob that comes in one request has no session, and may take its time.
    private static readonly TimeSpan LeftoverRest = TimeSpan.FromDays(1);

    public async Task<Result<PurgedUploads>> Handle(PurgeUploadsCommand command, CancellationToken cancellationToken)
    {
        var (expired, leftovers) = (0, 0);
        int dropped;
        do
        {
            dropped = 0;
            foreach (var session in await sessions.ListExpiredAsync(BatchSize, cancellationToken))
            {
                if (await sessions.RemoveExpiredAsync(session.Id, cancellationToken) is not { } removed)
                    continue; // a chunk is on its way, or has just renewed it
                dropped++;
                if (stores.Find(removed.Store) is { } store)
                    await store.Staging.DropAsync(removed.Id, removed.State, cancellationToken);
            }

            expired += dropped;
        }
        while (dropped > 0); // what is left is being written to

        foreach (var store in stores.All)
        {
            await foreach (var id in store.Staging.ListUntouchedSinceAsync(
                time.GetUtcNow() - (options.Expiry > LeftoverRest ? options.Expiry : LeftoverRest), cancellationToken))
            {
                if (!await sessions.ExistsAsync(id, cancellationToken)
                    && await store.Staging.DropAsync(id, state: null, cancellationToken))
                    leftovers++;
            }
        }

        return new PurgedUploads(expired, leftovers);
    }
}
