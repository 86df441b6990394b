using MediatR;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Manifests;

/// <summary>A manifest in the bytes it was pushed in (distribution-spec, end-3, GET).</summary>
public sealed record GetManifestQuery(RepositoryIdentity Repository, Reference Reference, Principal Principal)
    : IRequest<Result<StoredManifest>>;

internal sealed class GetManifestHandler(PullSources sources)
    : IRequestHandler<GetManifestQuery, Result<StoredManifest>>
{
    public Task<Result<StoredManifest>> Handle(GetManifestQuery query, CancellationToken cancellationToken)
        => sources.Of(query.Repository).GetManifestAsync(
            query.Repository, query.Reference, query.Principal, cancellationToken);
}
