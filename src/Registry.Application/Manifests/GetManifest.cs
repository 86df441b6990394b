using MediatR;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Manifests;

/// <summary>A manifest in the bytes it was pushed in (distribution-spec, end-3, GET).</summary>
public sealed record GetManifestQuery(RepositoryIdentity Repository, Reference Reference)
    : IRequest<Result<StoredManifest>>;

internal sealed class GetManifestHandler(IManifestIndex manifests)
    : IRequestHandler<GetManifestQuery, Result<StoredManifest>>
{
    public async Task<Result<StoredManifest>> Handle(GetManifestQuery query, CancellationToken cancellationToken)
        => await manifests.FindAsync(query.Repository, query.Reference, cancellationToken) is { } manifest
            ? manifest
            : OciError.ManifestUnknown(query.Reference);
}
