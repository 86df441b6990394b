using MediatR;
using Registry.Application.Manifests.Reading;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Manifests;

/// <summary>What a stored manifest says, for the admin API.</summary>
public sealed record DescribeManifestQuery(RepositoryIdentity Repository, Reference Reference)
    : IRequest<Result<DescribedManifest>>;

/// <param name="Size">Of the manifest itself, in bytes.</param>
public sealed record DescribedManifest(Digest Digest, long Size, Manifest Manifest);

internal sealed class DescribeManifestHandler(IManifestIndex manifests)
    : IRequestHandler<DescribeManifestQuery, Result<DescribedManifest>>
{
    public async Task<Result<DescribedManifest>> Handle(
        DescribeManifestQuery query, CancellationToken cancellationToken)
    {
        if (await manifests.FindAsync(query.Repository, query.Reference, cancellationToken) is not { } stored)
            return OciError.ManifestUnknown(query.Reference);
        return new DescribedManifest(
            stored.Digest, stored.Size, ManifestDocument.Read(stored.Content).ToManifest(stored.MediaType));
    }
}
