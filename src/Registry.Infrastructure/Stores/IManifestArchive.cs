using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Stores;

/// <summary>
/// Copies of manifests and tags beside the blobs, from which a lost database can be rebuilt. Nothing is ever served
/// from them.
/// </summary>
/// <remarks>
/// Every change can be repeated, and is durable when <see cref="FlushAsync"/> has returned after it.
/// <see cref="Domain.Errors.StorageException"/> when the store is full or cannot be used.
/// </remarks>
internal interface IManifestArchive
{
    Task PutManifestAsync(
        RepositoryIdentity repository, Digest digest, ReadOnlyMemory<byte> content,
        CancellationToken cancellationToken);

    /// <summary>Takes the manifest out of the repository; its bytes stay, other repositories may have it too.</summary>
    Task RemoveManifestAsync(RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken);

    Task PutTagAsync(RepositoryIdentity repository, Tag tag, Digest digest, CancellationToken cancellationToken);

    Task RemoveTagAsync(RepositoryIdentity repository, Tag tag, CancellationToken cancellationToken);

    /// <summary>Makes all changes durable that have returned before.</summary>
    Task FlushAsync(CancellationToken cancellationToken);
}
