using Registry.Application.Blobs;
using Registry.Application.Manifests;
using Registry.Application.Referrers;
using Registry.Application.Tags;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Registries;

/// <summary>
/// What can be pulled from the repositories of a registry; each kind of registry has its own way to come by it. The
/// principal may pull from the repository asked for; what else it may pull from, a group has to find out.
/// </summary>
internal interface IPullSource
{
    /// <summary>A manifest, perhaps without the bytes; what is found is kept for a while.</summary>
    Task<Result<StoredManifest>> FindManifestAsync(
        RepositoryIdentity repository, Reference reference, Principal principal, CancellationToken cancellationToken);

    Task<Result<StoredManifest>> GetManifestAsync(
        RepositoryIdentity repository, Reference reference, Principal principal, CancellationToken cancellationToken);

    /// <summary>The length of a blob in bytes; what is found is kept for a while.</summary>
    Task<Result<long>> FindBlobAsync(
        RepositoryIdentity repository, Digest digest, Principal principal, CancellationToken cancellationToken);

    /// <summary>A blob's bytes, opened. The caller disposes.</summary>
    /// <param name="range">The part that is asked for; null for all of it.</param>
    Task<Result<OpenedBlob>> OpenBlobAsync(
        RepositoryIdentity repository, Digest digest, RequestedRange? range, Principal principal,
        CancellationToken cancellationToken);

    /// <summary>One page of a repository's tags in byte order; null when there is no such repository.</summary>
    Task<Page<string>?> ListTagsAsync(
        RepositoryIdentity repository, PageRequest page, Principal principal, CancellationToken cancellationToken);

    /// <inheritdoc cref="ListTagsAsync"/>
    Task<Page<TaggedManifest>?> ListTaggedManifestsAsync(
        RepositoryIdentity repository, PageRequest page, Principal principal, CancellationToken cancellationToken);

    /// <summary>One page of what refers to <paramref name="subject"/>, in the order of their digests.</summary>
    /// <param name="artifactType">Only those of this type; null for all.</param>
    Task<Result<Page<Referrer>>> ListReferrersAsync(
        RepositoryIdentity repository, Digest subject, string? artifactType, PageRequest page, Principal principal,
        CancellationToken cancellationToken);
}
