using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Manifests;

/// <summary>The manifests of the repositories, their bytes included, and what refers to what.</summary>
public interface IManifestIndex
{
    /// <summary>The manifest behind a tag or digest; null when there is none. One query.</summary>
    Task<StoredManifest?> FindAsync(
        RepositoryIdentity repository, Reference reference, CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="FindAsync"/>, without the bytes; renews the lease of a manifest that neither a tag nor an index
    /// refers to once less than half is left.
    /// </summary>
    Task<StoredManifest?> FindAndHoldAsync(
        RepositoryIdentity repository, Reference reference, CancellationToken cancellationToken);

    /// <summary>
    /// In one durable change: checks that blobs and children are in the repository and that the tags may be moved,
    /// stores the manifest with what it refers to, and moves the tags to it. Idempotent.
    /// </summary>
    /// <returns>
    /// What stands in the way; then nothing was changed. Nothing of that when it was stored, and the subject if that is
    /// not there.
    /// </returns>
    Task<PutOutcome> PutAsync(NewManifest manifest, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes the manifest and every tag on it; what it alone referred to gets a full lease. False when it was not
    /// there.
    /// </summary>
    Task<bool> DeleteAsync(
        RepositoryIdentity repository, Digest digest, Principal principal, CancellationToken cancellationToken);
}

/// <param name="Content">The bytes as pushed; empty where only the facts were asked for.</param>
/// <param name="Size">In bytes.</param>
public sealed record StoredManifest(Digest Digest, MediaType MediaType, long Size, ReadOnlyMemory<byte> Content)
{
    /// <summary>What the client should be told about it, in a sentence of printable ASCII; null for nothing.</summary>
    public string? Warning { get; init; }
}

/// <param name="Manifest">What the content says.</param>
/// <param name="Content">The bytes as pushed, which <paramref name="Digest"/> is of.</param>
/// <param name="Tags">Tags that shall point at it from now on; may be none.</param>
/// <param name="Principal">Who pushes, for the tags' history.</param>
/// <param name="MayOverwrite">Whether tags that name another manifest may be moved to it.</param>
public sealed record NewManifest(
    RepositoryIdentity Repository,
    Digest Digest,
    Manifest Manifest,
    ReadOnlyMemory<byte> Content,
    IReadOnlyList<Tag> Tags,
    Principal Principal,
    bool MayOverwrite)
{
    /// <summary>
    /// Whether it is another registry's: what it refers to need not be here, and its tags count as confirmed now.
    /// </summary>
    public bool IsCopy { get; init; }
}

/// <param name="MissingBlobs">Blobs that must be there and are not.</param>
/// <param name="MissingManifests">Children that must be there and are not.</param>
/// <param name="MissingSubject">
/// What the manifest refers to, when that is not there: it may come later, so the manifest was stored all the same.
/// </param>
/// <param name="KeptTag">A tag that names another manifest and may not be moved.</param>
public sealed record PutOutcome(
    IReadOnlyList<Digest> MissingBlobs, IReadOnlyList<Digest> MissingManifests, Digest? MissingSubject = null,
    Tag? KeptTag = null)
{
    public static readonly PutOutcome Stored = new([], []);

    /// <summary>Whether something stands in the way, which a missing subject does not.</summary>
    public bool IsRefused => MissingBlobs.Count > 0 || MissingManifests.Count > 0 || KeptTag is not null;
}
