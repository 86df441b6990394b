using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Registry.Application.Uploads;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.FileSystem;

/// <summary>
/// Copies a request's body into a file through two buffers: one fills from the network while the other is hashed and
/// written. Whatever the length, it holds those two and nothing else.
/// </summary>
internal static class UploadPump
{
    private const int BufferBytes = 256 * 1024;

    /// <exception cref="Domain.Errors.StorageException">The file could not be written.</exception>
    public static async Task<AppendedBytes> CopyAsync(
        Stream content, SafeFileHandle file, long offset, RunningHash? hash, StoreFaults faults,
        CancellationToken cancellationToken)
    {
        var pool = ArrayPool<byte>.Shared;
        var full = pool.Rent(BufferBytes);
        byte[]? filling = null;
        try
        {
            var (count, end) = await content.FillAsync(full.AsMemory(0, BufferBytes), cancellationToken);
            while (end is ContentEnd.NotYet)
            {
                filling ??= pool.Rent(BufferBytes);
                var (bytes, length, position) = (full, count, offset);
                var writing = Task.Run(
                    () => Write(file, bytes.AsSpan(0, length), position, hash, faults), CancellationToken.None);
                try
                {
                    (count, end) = await content.FillAsync(filling.AsMemory(0, BufferBytes), cancellationToken);
                }
                finally
                {
                    await writing; // it uses a buffer that must not go back before
                }

                offset += length;
                (full, filling) = (filling, full);
            }

            // The last piece, which is the only one of a small body, is not worth another thread.
            Write(file, full.AsSpan(0, count), offset, hash, faults);
            return new(offset + count, Complete: end is ContentEnd.Complete);
        }
        finally
        {
            pool.Return(full);
            if (filling is not null)
                pool.Return(filling);
        }
    }

    private static void Write(
        SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset, RunningHash? hash, StoreFaults faults)
    {
        if (bytes.IsEmpty)
            return;
        try
        {
            RandomAccess.Write(file, bytes, offset);
            WriteOutWindows.Follow(file, offset, bytes.Length);
        }
        catch (Exception cause) when (StoreFaults.Covers(cause))
        {
            throw faults.Of(cause);
        }

        hash?.Append(bytes);
    }
}
