using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.FileSystem;

/// <summary>
/// One upload's file. It is opened at the first need and stays open, and so locked against other processes.
/// </summary>
internal sealed partial class StagedFile(
    UploadId id, long offset, FileSystemLayout layout, DurableFiles files, StoreFaults faults, RunningHashes hashes,
    Action released, ILogger logger)
    : IStagedUpload
{
    private const int ReadBytes = 256 * 1024;

    private readonly string _path = layout.UploadPath(id);
    private SafeFileHandle? _file;
    private RunningHash? _hash = hashes.Take(id);
    private bool _disposed;

    public async Task<AppendedBytes?> AppendAsync(
        Stream content, DigestAlgorithm algorithm, bool final, CancellationToken cancellationToken)
    {
        if (!faults.Guard(TryOpenAtOffset))
            return null;

        ContinueHash(algorithm);
        try
        {
            return await UploadPump.CopyAsync(content, _file!, offset, _hash, faults, cancellationToken);
        }
        catch (Exception failure)
        {
            DropHash(); // it has seen bytes that do not count
            CutBack(failure is StorageException { InnerException: WriteOutException } ? 0 : offset);
            throw;
        }
    }

    public Task<string?> PublishAsync(Digest digest, long size, CancellationToken cancellationToken)
        => Task.FromResult(faults.Guard(() => Publish(digest, size, cancellationToken)));

    /// <summary>Makes the file of a new upload, for a writer who hashes its bytes himself.</summary>
    /// <returns>To write to, closed with this one; and to read from, the caller's.</returns>
    /// <exception cref="StorageException">It cannot be made.</exception>
    public (SafeFileHandle Writing, SafeFileHandle Reading) Create() => faults.Guard(() =>
    {
        _file = TryOpen(create: true);
        var reading = NativeFiles.TryOpenToRead(_path, out _);
        return _file is not null && reading is not null
            ? (_file, reading)
            : throw new IOException($"'{_path}' has gone.");
    });

    /// <summary>As <see cref="PublishAsync"/>, for bytes that are known to have the digest.</summary>
    /// <param name="cached">Whether they get a location of their own.</param>
    /// <exception cref="StorageException">The store is full or cannot be used.</exception>
    public string PublishVerified(Digest digest, bool cached) => faults.Guard(
        () => Place(
            _file!, digest,
            cached ? FileSystemLayout.CachedLocation(id, digest) : StoreLayout.BlobLocation(digest)));

    public Task DiscardAsync()
    {
        DropHash();
        try
        {
            File.Delete(_path);
        }
        catch (DirectoryNotFoundException)
        {
        }
        catch (Exception cause) when (StoreFaults.Covers(cause))
        {
            // Discarding is what a failed request does last: its own error must reach the client. The purge tries
            // again.
            Log.NotDiscarded(logger, _path, cause);
        }

        Close();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        if (_disposed)
            return ValueTask.CompletedTask;
        _disposed = true;

        StampHash();
        Close();
        if (_hash is not null)
            hashes.Keep(id, _hash);
        _hash = null;
        released();
        return ValueTask.CompletedTask;
    }

    private string? Publish(Digest digest, long size, CancellationToken cancellationToken)
    {
        _file ??= TryOpen(create: false);
        if (_file is null || RandomAccess.GetLength(_file) != size
            || DigestOf(_file, digest.Algorithm, size, cancellationToken) != digest)
            return null;
        return Place(_file, digest, StoreLayout.BlobLocation(digest));
    }

    private string Place(SafeFileHandle file, Digest digest, string location)
    {
        try
        {
            RandomAccess.FlushToDisk(file);
        }
        catch (Exception cause) when (StoreFaults.Covers(cause))
        {
            // The kernel may have dropped pages that it could not write and will not fail again: these bytes must not
            // be retried, nor read.
            DropHash();
            CutBack(0);
            throw;
        }

        // The lock is held until the file has its new name: a writer of another process must not get hold of it as an
        // upload.
        files.Move(file, _path, layout.Locate(location, digest)!);
        Close();
        DropHash();
        return location;
    }

    private bool TryOpenAtOffset()
    {
        _file ??= TryOpen(create: offset == 0);
        if (_file is null)
            return false;

        var length = RandomAccess.GetLength(_file);
        if (length > offset)
            RandomAccess.SetLength(_file, offset);
        return length >= offset;
    }

    private SafeFileHandle? TryOpen(bool create)
    {
        SafeFileHandle file;
        try
        {
            file = Open(create);
        }
        catch (DirectoryNotFoundException) when (create)
        {
            files.ThrowIfDetached();
            Directory.CreateDirectory(layout.Staging);
            file = Open(create);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            files.ThrowIfDetached();
            return null;
        }

        // Between opening and locking another process may have published the file; what is open then is a blob.
        if (!File.Exists(_path))
        {
            file.Dispose();
            return null;
        }

        if (_hash is not null && !Equals(_hash.Stamp, File.GetLastWriteTimeUtc(file)))
            DropHash();
        return file;
    }

    // None locks on Unix; Windows must allow the rename of an open file, and readers of one that still grows.
    private SafeFileHandle Open(bool create) => File.OpenHandle(
        _path,
        create ? FileMode.OpenOrCreate : FileMode.Open,
        FileAccess.ReadWrite,
        OperatingSystem.IsWindows() ? FileShare.Read | FileShare.Delete : FileShare.None);

    private void ContinueHash(DigestAlgorithm algorithm)
    {
        if (_hash is not null && (_hash.Position != offset || _hash.Algorithm != algorithm))
            DropHash();
        if (offset == 0)
            _hash ??= new(algorithm);
    }

    private Digest DigestOf(
        SafeFileHandle file, DigestAlgorithm algorithm, long size, CancellationToken cancellationToken)
    {
        if (_hash is not null && _hash.Algorithm == algorithm && _hash.Position == size)
            return _hash.ToDigest();

        using var hash = new RunningHash(algorithm);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            for (int read; (read = RandomAccess.Read(file, buffer.AsSpan(0, ReadBytes), hash.Position)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.Append(buffer.AsSpan(0, read));
            }

            return hash.ToDigest();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void CutBack(long length)
    {
        try
        {
            RandomAccess.SetLength(_file!, length);
        }
        catch (Exception cause) when (StoreFaults.Covers(cause))
        {
            Log.NotCutBack(logger, _path, length, cause); // the next append cuts it
        }
    }

    // A write time of its own, which no write can give the file by chance: a hash that is continued over bytes which
    // another process has replaced would let a wrong blob pass as the right one.
    private void StampHash()
    {
        if (_hash is null || _file is null)
            return;
        try
        {
            var noise = TimeSpan.FromTicks(RandomNumberGenerator.GetInt32((int)TimeSpan.TicksPerSecond));
            File.SetLastWriteTimeUtc(_file, File.GetLastWriteTimeUtc(_file) - noise);
            _hash.Stamp = File.GetLastWriteTimeUtc(_file); // as far as the file system keeps it
        }
        catch (Exception cause) when (StoreFaults.Covers(cause))
        {
            DropHash();
        }
    }

    private void DropHash()
    {
        _hash?.Dispose();
        _hash = null;
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning, "The upload {Path} could not be deleted; the purge of uploads will try again.")]
        public static partial void NotDiscarded(ILogger logger, string path, Exception cause);

        [LoggerMessage(
            LogLevel.Warning, "The upload {Path} could not be cut back to {Length} bytes after a failed write.")]
        public static partial void NotCutBack(ILogger logger, string path, long length, Exception cause);
    }
}
