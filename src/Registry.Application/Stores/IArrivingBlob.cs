namespace Registry.Application.Stores;

/// <summary>
/// A blob on its way into a store from elsewhere: one writer appends, any number of readers follow, and none of them
/// holds up the writer or another reader. Memory use does not depend on the length.
/// </summary>
/// <remarks>
/// Disposed before it was published, it leaves nothing behind, and its readers end with an error unless all bytes have
/// arrived and have the digest.
/// </remarks>
public interface IArrivingBlob : IAsyncDisposable
{
    /// <summary>How many bytes are there, in bytes.</summary>
    long Arrived { get; }

    /// <summary>
    /// Appends what <paramref name="content"/> gives, as soon as it gives it, up to the blob's size, and hashes it in
    /// the same pass. What has arrived counts even when the content breaks off: the caller may go on with another one
    /// that begins at <see cref="Arrived"/>.
    /// </summary>
    /// <returns>Whether all bytes are there; false when the content ended before.</returns>
    /// <exception cref="Domain.Errors.StorageException">The store is full or cannot be used.</exception>
    Task<bool> AppendAsync(Stream content, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the bytes, which must all be there, a blob of the store: durable before it returns. Null, and nothing is
    /// kept, when they do not have the digest; no reader has got the last byte then.
    /// </summary>
    /// <exception cref="Domain.Errors.StorageException">
    /// The store is full or cannot be used. Readers get what has arrived even so, as far as it can be read.
    /// </exception>
    Task<StoredBlob?> PublishAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The bytes for one reader, who waits for those that are still to come. It stays readable after the arrival was
    /// published and disposed, and throws <see cref="IOException"/> when the bytes do not come or do not have the
    /// digest.
    /// </summary>
    IBlobContent OpenRead();
}
