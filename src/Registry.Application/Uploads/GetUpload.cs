using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>How far an upload session has come (distribution-spec, end-13).</summary>
public sealed record GetUploadQuery(RepositoryIdentity Repository, Principal Owner, UploadId Id)
    : IRequest<Result<UploadProgress>>;

internal sealed class GetUploadHandler(IUploadSessions sessions)
    : IRequestHandler<GetUploadQuery, Result<UploadProgress>>
{
    public async Task<Result<UploadProgress>> Handle(GetUploadQuery query, CancellationToken cancellationToken)
        => await sessions.FindAsync(query.Repository, query.Id, cancellationToken) is { } session
            && session.Owner == query.Owner.Name
            ? new UploadProgress(session.Id, session.Offset)
            : OciError.UploadUnknown(query.Id);
}
