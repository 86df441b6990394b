using Registry.Domain.Blobs;
using Registry.Domain.Repositories;

namespace Registry.Domain.Uploads;

/// <summary>
/// An open upload (distribution-spec, "Pushing a blob in chunks"). It belongs to its repository and its owner.
/// </summary>
/// <param name="Store">Name of the store that takes the bytes.</param>
/// <param name="Owner">The principal that opened it.</param>
/// <param name="Algorithm">
/// What the client said it will close with; a session can be closed with another all the same.
/// </param>
/// <param name="Offset">Bytes accepted so far.</param>
/// <param name="Version">
/// Fence: every accepted change counts it up, and a change made on an older one is refused.
/// </param>
public sealed record UploadSession(
    UploadId Id,
    RepositoryIdentity Repository,
    string Store,
    string Owner,
    DigestAlgorithm Algorithm,
    long Offset,
    long Version,
    DateTimeOffset ExpiresAt)
{
    /// <summary>
    /// The store's own word for where the accepted bytes are, opaque to everybody else; null when it needs none.
    /// </summary>
    public string? State { get; init; }

    /// <summary>A session under a new id, without a byte.</summary>
    public static UploadSession Open(
        RepositoryIdentity repository, string store, string owner, DigestAlgorithm algorithm, DateTimeOffset expiresAt)
        => new(UploadId.Create(), repository, store, owner, algorithm, Offset: 0, Version: 0, expiresAt);
}
