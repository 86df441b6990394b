using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Blobs;

/// <summary>
/// Which blobs are in which repository. A link with its row is the only thing that makes a blob exist.
/// </summary>
/// <remarks>
/// A client that was told that a blob exists relies on it: the link's lease keeps it, referenced or not, for the
/// configured time.
/// </remarks>
public interface IBlobLinks
{
    /// <summary>The blob, when it is in the repository. One query.</summary>
    Task<StoredBlob?> FindAsync(RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="FindAsync"/>, and renews the lease of a link that no manifest refers to once less than half is
    /// left.
    /// </summary>
    Task<StoredBlob?> FindAndHoldAsync(
        RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken);

    /// <summary>
    /// In one durable change: the repository is there, the blob's row is present at its location, the repository links
    /// it with a full lease, and <paramref name="session"/> is closed.
    /// </summary>
    /// <returns>False, and nothing is changed, when the session is gone or no longer at that version.</returns>
    Task<bool> AddAsync(
        RepositoryIdentity repository, StoredBlob blob, UploadSession? session, CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="AddAsync"/>, for a blob that was fetched to a cached location. Where a repository has the blob
    /// already, its row stays as it is.
    /// </summary>
    /// <returns>Whether the blob's row is at that location; otherwise nobody will look for anything there.</returns>
    Task<bool> AddCachedAsync(RepositoryIdentity repository, StoredBlob blob, CancellationToken cancellationToken);

    /// <summary>
    /// Links the blob of <paramref name="source"/> into <paramref name="target"/> with a full lease.
    /// </summary>
    /// <returns>False when it is not in the source, or not in the store <paramref name="store"/>.</returns>
    Task<bool> MountAsync(
        RepositoryIdentity source, RepositoryIdentity target, Digest digest, string store,
        CancellationToken cancellationToken);

    /// <summary>Up to <paramref name="limit"/> repositories that link the blob.</summary>
    Task<IReadOnlyList<RepositoryIdentity>> ListRepositoriesAsync(
        Digest digest, int limit, CancellationToken cancellationToken);

    /// <summary>Takes the blob out of this repository; others keep it. False when it was not there.</summary>
    Task<bool> RemoveAsync(RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken);

    /// <summary>
    /// Notes that the bytes were not found, so that the blob does not exist until it is pushed again. A blob that was
    /// pushed or fetched again meanwhile is left alone.
    /// </summary>
    Task MarkMissingAsync(StoredBlob blob, CancellationToken cancellationToken);
}
