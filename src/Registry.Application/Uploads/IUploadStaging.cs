using Registry.Domain.Blobs;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>The bytes of uploads that are not blobs yet.</summary>
public interface IUploadStaging
{
    /// <summary>
    /// Opens an upload's bytes for the one writer that has claimed <paramref name="session"/>; offset and state are the
    /// session's. Waits until whoever had them open in this process has let go.
    /// </summary>
    Task<IStagedUpload> OpenAsync(UploadSession session, CancellationToken cancellationToken);

    /// <summary>
    /// Drops the bytes of an upload that has no session (any more). What cannot be dropped now is listed again by
    /// <see cref="ListUntouchedSinceAsync"/>, so that a later call can.
    /// </summary>
    /// <param name="state">Of the session that was; null when nobody knows.</param>
    /// <returns>
    /// False when they are still there: the store failed, or a request of this process has them open and drops them
    /// itself.
    /// </returns>
    Task<bool> DropAsync(UploadId id, string? state, CancellationToken cancellationToken);

    /// <summary>Uploads whose bytes were last written before <paramref name="time"/>.</summary>
    IAsyncEnumerable<UploadId> ListUntouchedSinceAsync(DateTimeOffset time, CancellationToken cancellationToken);
}

/// <summary>One upload's bytes, held by one writer until disposed.</summary>
public interface IStagedUpload : IAsyncDisposable
{
    /// <summary>
    /// Appends <paramref name="content"/> where the session stands, dropping what a broken request left behind it, and
    /// hashes in the same pass. Memory use does not depend on the length. Called once.
    /// </summary>
    /// <param name="algorithm">The digest that will probably be asked for.</param>
    /// <param name="final">
    /// <see cref="PublishAsync"/> follows. Otherwise everything must outlive this request before it returns.
    /// </param>
    /// <returns>
    /// Null when fewer bytes are there than the session says, so that the upload cannot go on.
    /// </returns>
    Task<AppendedBytes?> AppendAsync(
        Stream content, DigestAlgorithm algorithm, bool final, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the first <paramref name="size"/> bytes, which must be all, the blob <paramref name="digest"/>: durable
    /// before it returns, at a place of the store's choosing. Null, and nothing is changed, when the bytes do not have
    /// that digest.
    /// </summary>
    /// <returns>The new blob's location in the store.</returns>
    Task<string?> PublishAsync(Digest digest, long size, CancellationToken cancellationToken);

    /// <summary>Drops the bytes.</summary>
    Task DiscardAsync();
}

/// <param name="Offset">Where the upload stands now, in bytes.</param>
/// <param name="Complete">
/// False when the content broke off (the client went away, or sent less than it announced).
/// </param>
/// <param name="State">What the session must keep as its state from now on.</param>
public sealed record AppendedBytes(long Offset, bool Complete, string? State = null);
