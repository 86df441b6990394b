using MediatR;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Blobs;

/// <summary>
/// Whether a blob is in a repository, and how long (distribution-spec, end-2, HEAD). The bytes are not touched.
/// </summary>
public sealed record FindBlobQuery(RepositoryIdentity Repository, Digest Digest) : IRequest<Result<StoredBlob>>;

internal sealed class FindBlobHandler(IBlobLinks links) : IRequestHandler<FindBlobQuery, Result<StoredBlob>>
{
    public async Task<Result<StoredBlob>> Handle(FindBlobQuery query, CancellationToken cancellationToken)
        => await links.FindAndHoldAsync(query.Repository, query.Digest, cancellationToken) is { } blob
            ? blob
            : OciError.BlobUnknown(query.Digest);
}
