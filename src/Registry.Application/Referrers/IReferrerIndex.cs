using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Repositories;

namespace Registry.Application.Referrers;

/// <summary>Which manifests refer to which subject.</summary>
public interface IReferrerIndex
{
    /// <summary>
    /// One page of the manifests of the repository whose subject is <paramref name="subject"/>, in the order of their
    /// digests; empty for anything unknown.
    /// </summary>
    /// <param name="artifactType">Only those of this type; null for all.</param>
    Task<Page<Referrer>> ListAsync(
        RepositoryIdentity repository, Digest subject, string? artifactType, PageRequest page,
        CancellationToken cancellationToken);
}

/// <summary>The descriptor of a manifest that has a subject.</summary>
/// <param name="Size">In bytes.</param>
/// <param name="Annotations">A JSON object, or null.</param>
public sealed record Referrer(string MediaType, Digest Digest, long Size, string? ArtifactType, string? Annotations);
