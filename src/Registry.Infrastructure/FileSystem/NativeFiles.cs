using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Registry.Infrastructure.FileSystem;

/// <summary>
/// What the framework does not offer: reading without a lock, making a directory's entries or all of a file system
/// durable, writing early what must be on the disk in the end, and a rename that is never a copy.
/// </summary>
internal static partial class NativeFiles
{
    private const int Missing = 2; // ENOENT
    private const int Interrupted = 4; // EINTR
    private const int OtherDevice = 18; // EXDEV
    private const int NotSupported = 22; // EINVAL: this file system has nothing to flush for a directory

    private const int NotForThisFile = 29; // ESPIPE
    private const int NotThere = 38; // ENOSYS

    private const uint WaitBefore = 1; // SYNC_FILE_RANGE_…
    private const uint StartWriting = 2;
    private const uint WaitAfter = 4;

    // Before, the call did not tell that something could not be written.
    private static readonly Version FlushTellsFailures = new(5, 8);

    // Read-only; closed in child processes; a pipe is not waited for.
    private static readonly int ReadFlags = OperatingSystem.IsLinux()
        ? 0x80000 | 0x800
        : OperatingSystem.IsMacOS() ? 0x1000000 | 0x4 : 0;

    /// <summary>Opens a regular file for reading, beside whoever else has it; null when there is none.</summary>
    /// <remarks>
    /// The framework's own way takes a shared lock, so that a reader would fail while a file that was just renamed into
    /// place is still locked by its writer; and it is two calls to the system more on every read.
    /// </remarks>
    public static SafeFileHandle? TryOpenToRead(string path, out long length)
    {
        length = 0;
        if (OperatingSystem.IsWindows())
        {
            if (!File.Exists(path))
                return null;
            var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            length = RandomAccess.GetLength(handle);
            return handle;
        }

        int descriptor;
        while ((descriptor = Open(path, ReadFlags)) < 0)
        {
            if (Marshal.GetLastPInvokeError() == Missing)
                return null;
            ThrowUnlessInterrupted(path);
        }

        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            if (!File.GetAttributes(file).HasFlag(FileAttributes.Directory))
            {
                length = RandomAccess.GetLength(file);
                return file;
            }
        }
        catch (NotSupportedException)
        {
            // A pipe or a device has no length.
        }
        catch
        {
            file.Dispose();
            throw;
        }

        file.Dispose();
        return null;
    }

    /// <summary>
    /// Returns when the entries of the directory would survive a power cut. Windows does that by itself.
    /// </summary>
    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            return;

        int directory;
        while ((directory = Open(path, ReadFlags)) < 0)
            ThrowUnlessInterrupted(path);
        try
        {
            while (Flush(directory) < 0)
            {
                if (Marshal.GetLastPInvokeError() == NotSupported)
                    return;
                ThrowUnlessInterrupted(path);
            }
        }
        finally
        {
            _ = Close(directory);
        }
    }

    /// <summary>Whether <see cref="FlushFileSystem"/> can be relied on here.</summary>
    public static bool CanFlushFileSystem
        => OperatingSystem.IsLinux() && Environment.OSVersion.Version >= FlushTellsFailures;

    /// <summary>
    /// Returns when all that was done in a folder's file system before the call would survive a power cut.
    /// </summary>
    /// <param name="folder">
    /// Of <see cref="OpenFolder"/>, opened before what is to be flushed was written: it tells what went wrong since
    /// then.
    /// </param>
    public static void FlushFileSystem(SafeFileHandle folder)
    {
        while (FlushAll(folder) < 0)
            ThrowUnlessInterrupted("file system");
    }

    /// <summary>Opens a folder, for <see cref="FlushFileSystem"/>.</summary>
    public static SafeFileHandle OpenFolder(string path)
    {
        int descriptor;
        while ((descriptor = Open(path, ReadFlags)) < 0)
            ThrowUnlessInterrupted(path);
        return new(descriptor, ownsHandle: true);
    }

    /// <summary>
    /// Has the system begin to write a part of a file to the disk, and, if <paramref name="wait"/>, returns when it is
    /// out of memory. That is no flush: only one says that bytes survive a power cut.
    /// </summary>
    /// <exception cref="WriteOutException">Something of the file, whichever part, did not get to the disk.</exception>
    public static void WriteOut(SafeFileHandle file, long offset, long length, bool wait)
    {
        if (!OperatingSystem.IsLinux())
            return;
        while (WriteOut(file, offset, length, wait ? WaitBefore | StartWriting | WaitAfter : StartWriting) < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error is NotSupported or NotForThisFile or NotThere)
                return;
            if (error != Interrupted)
                throw new WriteOutException(Marshal.GetPInvokeErrorMessage(error), error);
        }
    }

    /// <summary>
    /// Moves a file over whatever file stands at <paramref name="target"/>, atomically. False, and nothing is changed,
    /// when the two are on different devices; <see cref="File.Move(string, string)"/> would copy there, and a reader or
    /// a crash could see half of it.
    /// </summary>
    public static bool TryRename(string source, string target)
    {
        if (OperatingSystem.IsWindows())
        {
            if (!string.Equals(Path.GetPathRoot(source), Path.GetPathRoot(target), StringComparison.OrdinalIgnoreCase))
                return false;
            File.Move(source, target, overwrite: true);
            return true;
        }

        while (Rename(source, target) < 0)
        {
            if (Marshal.GetLastPInvokeError() == OtherDevice)
                return false;
            ThrowUnlessInterrupted(target);
        }

        return true;
    }

    private static void ThrowUnlessInterrupted(string path)
    {
        var error = Marshal.GetLastPInvokeError();
        if (error != Interrupted)
            throw new IOException($"{Marshal.GetPInvokeErrorMessage(error)} : '{path}'", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int FlushAll(SafeFileHandle folder);

    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    private static partial int WriteOut(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string source, string target);
}
