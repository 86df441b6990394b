using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;

namespace Registry.Infrastructure.FileSystem;

/// <summary>
/// Puts files at their place below the root. Unless it says otherwise, when a method returns, the file and every
/// directory on the way to it survive a power cut; until then its place holds what it held before.
/// </summary>
internal sealed class DurableFiles(FileSystemLayout layout) : IDisposable
{
    private const int CopyBytes = 1 << 20;
    private const int RememberedFolders = 16_384;

    // Upper folders whose own entry has been flushed since the start: each needs that once, not once a blob.
    private readonly ConcurrentDictionary<string, bool> _durable = new(StringComparer.Ordinal);

    // Held open, since a flush of all tells what went wrong since then; null where the system cannot flush all.
    private SafeFileHandle? _root;
    private volatile bool _flushFailed;

    /// <summary>Called once the root is there, before anything is written.</summary>
    public void Prepare() => _root = NativeFiles.CanFlushFileSystem ? NativeFiles.OpenFolder(layout.Root) : null;

    /// <summary>Moves a file, flushed already, to its place; a file on another device is copied.</summary>
    /// <param name="file">The source, open.</param>
    public void Move(SafeFileHandle file, string source, string target)
    {
        ThrowIfDetached();
        var folder = CreateFolderOf(target);
        if (!NativeFiles.TryRename(source, target))
        {
            Place(target, copy => Copy(file, copy), flush: true);
            File.Delete(source);
        }

        Flush(folder);
    }

    /// <summary>
    /// Writes a small file, unless it is there with that content already. Durable when <see cref="Flush()"/> has
    /// returned after it.
    /// </summary>
    /// <param name="shared">
    /// Whether others put files there too, whose durable one a power cut could otherwise turn into one that is not.
    /// </param>
    public void Write(string target, ReadOnlyMemory<byte> content, bool shared)
    {
        ThrowIfDetached();
        if (_root is null)
        {
            var folder = CreateFolderOf(target);
            Place(target, file => RandomAccess.Write(file, content.Span, 0), flush: true);
            Flush(folder);
        }
        else if (_flushFailed || !Holds(target, content.Span)) // what is only in memory would be found there
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            Place(target, file => RandomAccess.Write(file, content.Span, 0), flush: shared);
        }
    }

    /// <summary>
    /// Makes durable what <see cref="Write"/> and <see cref="Delete"/> did before: one flush for a thousand files,
    /// where each of them would need several.
    /// </summary>
    public void Flush()
    {
        if (_root is null)
            return;
        try
        {
            NativeFiles.FlushFileSystem(_root);
            _flushFailed = false;
        }
        catch
        {
            _flushFailed = true;
            throw;
        }
    }

    /// <summary>Writes the file that marks the root as ours, creating the root when it is new.</summary>
    public void WriteGuard(ReadOnlyMemory<byte> content)
    {
        CreateFolder(layout.Root);
        Place(layout.Guard, file => RandomAccess.Write(file, content.Span, 0), flush: true);
        NativeFiles.FlushDirectory(layout.Root);
    }

    /// <summary>
    /// Deletes a file or a whole folder; it may be gone already. Durable when <see cref="Flush()"/> has returned
    /// after it.
    /// </summary>
    public void Delete(string path)
    {
        ThrowIfDetached();
        var parent = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(parent))
            return;

        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
        else
            File.Delete(path);
        if (_root is null)
            NativeFiles.FlushDirectory(parent);
    }

    /// <summary>
    /// Throws when the root does not carry the file that marks it: a disk that is not mounted must look neither like a
    /// store without blobs nor like a place for new ones.
    /// </summary>
    public void ThrowIfDetached()
    {
        if (!File.Exists(layout.Guard))
            throw new IOException($"'{layout.Guard}' is not there: the folder is not mounted, or was emptied.");
    }

    /// <summary>Makes a folder with all above it that are missing, durably.</summary>
    /// <param name="path">A full path.</param>
    public static void CreateFolder(string path)
    {
        var missing = new Stack<string>();
        for (var folder = path; !Directory.Exists(folder); folder = Path.GetDirectoryName(folder)!)
            missing.Push(folder);
        Directory.CreateDirectory(path);
        foreach (var folder in missing)
            NativeFiles.FlushDirectory(Path.GetDirectoryName(folder)!);
    }

    public void Dispose() => _root?.Dispose();

    private static bool Holds(string path, ReadOnlySpan<byte> content)
    {
        using var file = NativeFiles.TryOpenToRead(path, out var length);
        if (file is null || length != content.Length)
            return false;
        var held = ArrayPool<byte>.Shared.Rent(content.Length);
        try
        {
            var read = RandomAccess.Read(file, held.AsSpan(0, content.Length), 0);
            return content.SequenceEqual(held.AsSpan(0, read));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(held);
        }
    }

    private void Place(string target, Action<SafeFileHandle> write, bool flush)
    {
        var temporary = layout.NewTemporaryPath();
        Directory.CreateDirectory(layout.Temporary);
        try
        {
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                write(file);
                if (flush)
                    RandomAccess.FlushToDisk(file);
            }

            if (!NativeFiles.TryRename(temporary, target))
                throw new IOException($"'{target}' is on another device than '{layout.Root}'; a store must be on one.");
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private string CreateFolderOf(string target)
    {
        var folder = Path.GetDirectoryName(target)!;
        var pending = new Stack<string>();
        for (var upper = Path.GetDirectoryName(folder)!;
            upper.Length > layout.Root.Length;
            upper = Path.GetDirectoryName(upper)!)
        {
            if (_durable.ContainsKey(upper) && Directory.Exists(upper))
                break;
            pending.Push(upper);
        }

        Directory.CreateDirectory(folder);
        while (pending.TryPop(out var upper))
        {
            NativeFiles.FlushDirectory(Path.GetDirectoryName(upper)!);
            if (_durable.Count >= RememberedFolders)
                _durable.Clear(); // forgetting costs a flush, nothing else
            _durable[upper] = true;
        }

        return folder;
    }

    // The parent too, even when the folder was there: its creator may be another request that has not flushed it yet.
    private static void Flush(string folder)
    {
        NativeFiles.FlushDirectory(folder);
        NativeFiles.FlushDirectory(Path.GetDirectoryName(folder) ?? folder);
    }

    private static void Copy(SafeFileHandle from, SafeFileHandle to)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            long offset = 0;
            for (int read; (read = RandomAccess.Read(from, buffer, offset)) > 0; offset += read)
                RandomAccess.Write(to, buffer.AsSpan(0, read), offset);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
