using MediatR;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Blobs;

/// <summary>
/// A blob's bytes (distribution-spec, end-2, GET), opened and of the right length before anybody says 200. The caller
/// disposes.
/// </summary>
/// <param name="Range">The part that is asked for; null for all of it.</param>
public sealed record OpenBlobQuery(
    RepositoryIdentity Repository, Digest Digest, RequestedRange? Range, Principal Principal)
    : IRequest<Result<OpenedBlob>>;

/// <param name="Part">The bytes that are asked for; null when all are, or none of those asked for is there.</param>
public sealed record OpenedBlob(Digest Digest, IBlobContent Content, ByteRange? Part);

internal sealed class OpenBlobHandler(PullSources sources) : IRequestHandler<OpenBlobQuery, Result<OpenedBlob>>
{
    public Task<Result<OpenedBlob>> Handle(OpenBlobQuery query, CancellationToken cancellationToken)
        => sources.Of(query.Repository).OpenBlobAsync(
            query.Repository, query.Digest, query.Range, query.Principal, cancellationToken);
}
