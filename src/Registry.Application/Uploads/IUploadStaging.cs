using Registry.Domain.Blobs;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>The bytes of uploads that are not blobs yet.</summary>
public interface IUploadStaging
{
    /// <summary>
    /// Takes an upload's bytes for one writer. Null while another request has them. Touches nothing yet: read the
    /// session after this, never before, or a finished neighbour's bytes are cut off.
    /// </summary>
    IStagedUpload? TryOpen(UploadId id);

    /// <summary>Uploads whose bytes were last written before <paramref name="time"/>.</summary>
    IAsyncEnumerable<UploadId> ListUntouchedSinceAsync(DateTimeOffset time, CancellationToken cancellationToken);
}

/// <summary>One upload's bytes, held by one writer until disposed.</summary>
public interface IStagedUpload : IAsyncDisposable
{
    /// <summary>
    /// Appends <paramref name="content"/> at <paramref name="offset"/>, dropping what a broken request left behind it,
    /// and hashes in the same pass. Memory use does not depend on the length.
    /// </summary>
    /// <param name="algorithm">The digest that will probably be asked for.</param>
    /// <returns>
    /// Null when fewer than <paramref name="offset"/> bytes are there, so that the upload cannot go on.
    /// </returns>
    Task<AppendedBytes?> AppendAsync(
        long offset, Stream content, DigestAlgorithm algorithm, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the first <paramref name="size"/> bytes, which must be all, the blob <paramref name="digest"/>: durable
    /// before it returns, replacing whatever stood at its place. Null, and nothing is changed, when the bytes do not
    /// have that digest.
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
public sealed record AppendedBytes(long Offset, bool Complete);
