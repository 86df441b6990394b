using Registry.Application.Uploads;
using Registry.Domain.Blobs;

namespace Registry.Application.Stores;

/// <summary>
/// A place for the bytes of blobs. It knows nothing of repositories: the database alone decides what exists.
/// </summary>
/// <remarks>
/// A store that is full or cannot be used throws <see cref="Domain.Errors.StorageException"/> and keeps nothing
/// half-written.
/// </remarks>
public interface IBlobStore
{
    /// <summary>As the configuration calls it.</summary>
    string Name { get; }

    /// <summary>Where uploads wait until their digest is known to fit.</summary>
    IUploadStaging Staging { get; }

    /// <summary>
    /// Opens a blob's bytes; null when they are gone or have another length than <see cref="StoredBlob.Size"/>.
    /// </summary>
    /// <param name="part">What will be read first, within the blob; null for all of it.</param>
    Task<IBlobContent?> OpenAsync(StoredBlob blob, ByteRange? part, CancellationToken cancellationToken);

    /// <summary>
    /// Begins a blob that comes from elsewhere and is read while it arrives. The caller disposes.
    /// </summary>
    /// <param name="size">In bytes.</param>
    /// <param name="cached">
    /// Whether it can be fetched again. Then it gets a cached location, which no other blob has before or after, so
    /// that to remove it takes away nothing else; otherwise its content address.
    /// </param>
    Task<IArrivingBlob> ReceiveAsync(Digest digest, long size, bool cached, CancellationToken cancellationToken);

    /// <summary>Whether a location of the blob is a cached one. Nothing is asked for that.</summary>
    bool IsCached(Digest digest, string location);

    /// <summary>
    /// Removes what is at a cached location; it may be gone already. Of every other location nothing is removed. Who
    /// has the blob open reads on, as <see cref="IBlobContent"/> says.
    /// </summary>
    Task RemoveCachedAsync(Digest digest, string location, CancellationToken cancellationToken);

    /// <summary>
    /// The cached locations with something at them that arrived before <paramref name="time"/>; a store that knows only
    /// about when may leave out what came up to a day earlier.
    /// </summary>
    IAsyncEnumerable<CachedLocation> ListCachedAsync(DateTimeOffset time, CancellationToken cancellationToken);
}

/// <summary>
/// The opened bytes of a blob; they stay readable until disposed, whatever happens to the store's entry.
/// </summary>
/// <remarks>
/// With one exception: bytes that come from another machine do so over a connection. When that breaks, reading resumes
/// by asking again, and fails where the entry is gone by then.
/// </remarks>
public interface IBlobContent : IAsyncDisposable
{
    /// <summary>In bytes.</summary>
    long Size { get; }

    /// <summary>
    /// Where the client can fetch the bytes by itself for a few minutes; null when they are to be sent to it.
    /// </summary>
    Uri? Address { get; }

    /// <summary>
    /// Writes the bytes of <paramref name="range"/>, which lies within the blob, and flushes as it goes.
    /// </summary>
    Task CopyToAsync(System.IO.Pipelines.PipeWriter destination, ByteRange range, CancellationToken cancellationToken);
}
