using System.IO.Pipelines;
using Microsoft.Win32.SafeHandles;
using Registry.Application.Stores;
using Registry.Domain.Blobs;

namespace Registry.Infrastructure.FileSystem;

internal sealed class FileSystemBlobContent(SafeFileHandle file, long size, StoreFaults faults) : IBlobContent
{
    private const int PieceBytes = 256 * 1024;

    public long Size => size;

    public Uri? Address => null;

    /// <exception cref="EndOfStreamException">
    /// The file has become shorter: the caller cuts the connection, since the length is promised.
    /// </exception>
    /// <exception cref="Domain.Errors.StorageException">The file cannot be read.</exception>
    public async Task CopyToAsync(PipeWriter destination, ByteRange range, CancellationToken cancellationToken)
    {
        var offset = range.First;
        for (var remaining = range.Length; remaining > 0;)
        {
            // Straight into the response's own memory, and synchronously: what the page cache holds is there faster
            // than a thread could be changed.
            var wanted = (int)Math.Min(remaining, PieceBytes);
            var read = Read(destination.GetMemory(wanted).Span[..wanted], offset);
            if (read == 0)
                throw new EndOfStreamException($"The blob's file ends at byte {offset} of {size}.");

            destination.Advance(read);
            (offset, remaining) = (offset + read, remaining - read);
            var flushed = await destination.FlushAsync(cancellationToken);
            if (flushed.IsCompleted || flushed.IsCanceled)
                return; // nobody reads any more
        }
    }

    private int Read(Span<byte> piece, long offset)
    {
        try
        {
            return RandomAccess.Read(file, piece, offset);
        }
        catch (Exception cause) when (StoreFaults.Covers(cause))
        {
            throw faults.Of(cause);
        }
    }

    public ValueTask DisposeAsync()
    {
        file.Dispose();
        return ValueTask.CompletedTask;
    }
}
