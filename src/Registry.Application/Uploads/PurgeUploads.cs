using MediatR;
using Registry.Application.Stores;
using Registry.Domain.Errors;
using Registry.Domain.Uploads;

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

    public async Task<Result<PurgedUploads>> Handle(PurgeUploadsCommand command, CancellationToken cancellationToken)
    {
        var (expired, leftovers) = (0, 0);
        int dropped;
        do
        {
            dropped = 0;
            foreach (var session in await sessions.ListExpiredAsync(BatchSize, cancellationToken))
            {
                if (await DropAsync(session, cancellationToken))
                    dropped++;
            }

            expired += dropped;
        }
        while (dropped > 0); // what is left is being written to

        foreach (var store in stores.All)
        {
            await foreach (var id in store.Staging.ListUntouchedSinceAsync(
                time.GetUtcNow() - options.Expiry, cancellationToken))
            {
                if (store.Staging.TryOpen(id) is not { } staged)
                    continue; // being written to right now
                await using var _ = staged;
                if (await sessions.ExistsAsync(id, cancellationToken))
                    continue;
                await staged.DiscardAsync();
                leftovers++;
            }
        }

        return new PurgedUploads(expired, leftovers);
    }

    private async Task<bool> DropAsync(UploadSession session, CancellationToken cancellationToken)
    {
        var store = stores.Find(session.Store);
        var staged = store?.Staging.TryOpen(session.Id);
        if (store is not null && staged is null)
            return false; // a chunk is on its way, and renews the session when it has arrived

        await using var _ = staged;
        if (await sessions.FindAsync(session.Repository, session.Id, cancellationToken) is not null)
            return false; // it has just been renewed
        var removed = await sessions.RemoveAsync(session.Repository, session.Id, cancellationToken);
        if (staged is not null)
            await staged.DiscardAsync();
        return removed;
    }
}
