using MediatR;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Manifests;

/// <summary>Whether a manifest exists, its digest, type and length (distribution-spec, end-3, HEAD).</summary>
public sealed record FindManifestQuery(RepositoryIdentity Repository, Reference Reference)
    : IRequest<Result<StoredManifest>>;

internal sealed class FindManifestHandler(IManifestIndex manifests)
    : IRequestHandler<FindManifestQuery, Result<StoredManifest>>
{
    public async Task<Result<StoredManifest>> Handle(FindManifestQuery query, CancellationToken cancellationToken)
        => await manifests.FindAndHoldAsync(query.Repository, query.Reference, cancellationToken) is { } manifest
            ? manifest
            : OciError.ManifestUnknown(query.Reference);
}
