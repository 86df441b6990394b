using Registry.Application.Blobs;
using Registry.Application.Manifests;
using Registry.Application.Referrers;
using Registry.Application.Stores;
using Registry.Application.Tags;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Registries;

/// <summary>What was pushed: the database knows all of it.</summary>
internal sealed class HostedSource(
    IManifestIndex manifests, IBlobLinks links, IBlobStores stores, ITagIndex tags, IReferrerIndex referrers)
    : IPullSource
{
    public async Task<Result<StoredManifest>> FindManifestAsync(
        RepositoryIdentity repository, Reference reference, Principal principal, CancellationToken cancellationToken)
        => await manifests.FindAndHoldAsync(repository, reference, cancellationToken) is { } manifest
            ? manifest
            : OciError.ManifestUnknown(reference);

    public async Task<Result<StoredManifest>> GetManifestAsync(
        RepositoryIdentity repository, Reference reference, Principal principal, CancellationToken cancellationToken)
        => await manifests.FindAsync(repository, reference, cancellationToken) is { } manifest
            ? manifest
            : OciError.ManifestUnknown(reference);

    public async Task<Result<long>> FindBlobAsync(
        RepositoryIdentity repository, Digest digest, Principal principal, CancellationToken cancellationToken)
        => await links.FindAndHoldAsync(repository, digest, cancellationToken) is { } blob
            ? blob.Size
            : OciError.BlobUnknown(digest);

    public async Task<Result<OpenedBlob>> OpenBlobAsync(
        RepositoryIdentity repository, Digest digest, RequestedRange? range, Principal principal,
        CancellationToken cancellationToken)
    {
        if (await links.FindAsync(repository, digest, cancellationToken) is not { } blob)
            return OciError.BlobUnknown(digest);
        if (stores.Find(blob.Store) is not { } store)
            return OciError.Unavailable($"store '{blob.Store}'");
        var part = range?.Within(blob.Size);
        if (await store.OpenAsync(blob, part, cancellationToken) is { } content)
            return new OpenedBlob(digest, content, part);

        // From now on HEAD says 404 too, so that a client pushes the blob again, and a proxy fetches it again.
        await links.MarkMissingAsync(blob, CancellationToken.None);
        return OciError.BlobUnknown(digest);
    }

    public Task<Page<string>?> ListTagsAsync(
        RepositoryIdentity repository, PageRequest page, Principal principal, CancellationToken cancellationToken)
        => tags.ListAsync(repository, page, cancellationToken);

    public Task<Page<TaggedManifest>?> ListTaggedManifestsAsync(
        RepositoryIdentity repository, PageRequest page, Principal principal, CancellationToken cancellationToken)
        => tags.ListDetailsAsync(repository, page, cancellationToken);

    public async Task<Result<Page<Referrer>>> ListReferrersAsync(
        RepositoryIdentity repository, Digest subject, string? artifactType, PageRequest page, Principal principal,
        CancellationToken cancellationToken)
        => await referrers.ListAsync(repository, subject, artifactType, page, cancellationToken);
}
