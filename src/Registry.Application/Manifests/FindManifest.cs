using MediatR;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Manifests;

/// <summary>Whether a manifest exists, its digest, type and length (distribution-spec, end-3, HEAD).</summary>
public sealed record FindManifestQuery(RepositoryIdentity Repository, Reference Reference, Principal Principal)
    : IRequest<Result<StoredManifest>>;

internal sealed class FindManifestHandler(PullSources sources)
    : IRequestHandler<FindManifestQuery, Result<StoredManifest>>
{
    public Task<Result<StoredManifest>> Handle(FindManifestQuery query, CancellationToken cancellationToken)
        => sources.Of(query.Repository).FindManifestAsync(
            query.Repository, query.Reference, query.Principal, cancellationToken);
}
