using MediatR;
using Registry.Application.Stores;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>Ends an upload session and drops its bytes (distribution-spec, end-14).</summary>
public sealed record CancelUploadCommand(RepositoryIdentity Repository, Principal Owner, UploadId Id)
    : IRequest<Result<Unit>>;

internal sealed class CancelUploadHandler(IUploadSessions sessions, IBlobStores stores)
    : IRequestHandler<CancelUploadCommand, Result<Unit>>
{
    public async Task<Result<Unit>> Handle(CancelUploadCommand command, CancellationToken cancellationToken)
    {
        if (await sessions.RemoveAsync(command.Repository, command.Owner.Name, command.Id, cancellationToken)
            is not { } session)
            return OciError.UploadUnknown(command.Id);

        // A request that is still writing finds its session gone and drops the bytes itself.
        if (stores.Find(session.Store) is { } store)
            await store.Staging.DropAsync(session.Id, session.State, cancellationToken);
        return Unit.Value;
    }
}
