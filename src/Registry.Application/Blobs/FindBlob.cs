using MediatR;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Blobs;

/// <summary>
/// Whether a blob is in a repository, and how many bytes it has (distribution-spec, end-2, HEAD). They are not
/// touched.
/// </summary>
public sealed record FindBlobQuery(RepositoryIdentity Repository, Digest Digest, Principal Principal)
    : IRequest<Result<long>>;

internal sealed class FindBlobHandler(PullSources sources) : IRequestHandler<FindBlobQuery, Result<long>>
{
    public Task<Result<long>> Handle(FindBlobQuery query, CancellationToken cancellationToken)
        => sources.Of(query.Repository).FindBlobAsync(
            query.Repository, query.Digest, query.Principal, cancellationToken);
}
