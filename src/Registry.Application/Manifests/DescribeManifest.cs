using MediatR;
using Registry.Application.Manifests.Reading;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Manifests;

/// <summary>What a stored manifest says, for the admin API.</summary>
public sealed record DescribeManifestQuery(RepositoryIdentity Repository, Reference Reference, Principal Principal)
    : IRequest<Result<DescribedManifest>>;

/// <param name="Size">Of the manifest itself, in bytes.</param>
public sealed record DescribedManifest(Digest Digest, long Size, Manifest Manifest);

internal sealed class DescribeManifestHandler(PullSources sources)
    : IRequestHandler<DescribeManifestQuery, Result<DescribedManifest>>
{
    public async Task<Result<DescribedManifest>> Handle(
        DescribeManifestQuery query, CancellationToken cancellationToken)
    {
        var found = await sources.Of(query.Repository).GetManifestAsync(
            query.Repository, query.Reference, query.Principal, cancellationToken);
        if (!found.TryGet(out var stored, out var errors))
            return Result<DescribedManifest>.Refused(errors);
        return new DescribedManifest(
            stored.Digest, stored.Size, ManifestDocument.Read(stored.Content).ToManifest(stored.MediaType));
    }
}
