using System.IO.Pipelines;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Infrastructure.FileSystem;

namespace Registry.Infrastructure.Stores;

/// <summary>A blob that is still arriving, for one reader.</summary>
internal sealed class SpoolContent(Spool spool, StoreFaults faults) : IBlobContent
{
    private const int PieceBytes = 256 * 1024;

    private int _disposed;

    public long Size => spool.Size;

    public Uri? Address => null;

    /// <exception cref="IOException">
    /// The bytes do not all come, or do not have the digest: the caller cuts the connection, since the length is
    /// promised.
    /// </exception>
    /// <exception cref="Domain.Errors.StorageException">The file cannot be read.</exception>
    public async Task CopyToAsync(PipeWriter destination, ByteRange range, CancellationToken cancellationToken)
    {
        using var follower = spool.Follow(cancellationToken);
        for (var offset = range.First; offset <= range.Last;)
        {
            var end = Math.Min(await follower.WaitAsync(offset), range.Last + 1);
            // As FileSystemBlobContent reads: what has just arrived is in the page cache.
            var wanted = (int)Math.Min(end - offset, PieceBytes);
            var read = Read(destination.GetMemory(wanted).Span[..wanted], offset);
            if (read == 0)
                throw new EndOfStreamException($"The file of the blob ends at byte {offset} of {Size}.");

            destination.Advance(read);
            offset += read;
            var flushed = await destination.FlushAsync(cancellationToken);
            if (flushed.IsCompleted || flushed.IsCanceled)
                return; // nobody reads any more
        }
    }

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            spool.Release();
        return ValueTask.CompletedTask;
    }

    private int Read(Span<byte> piece, long offset)
    {
        try
        {
            return spool.Read(piece, offset);
        }
        catch (Exception cause) when (StoreFaults.Covers(cause))
        {
            throw faults.Of(cause);
        }
    }
}
