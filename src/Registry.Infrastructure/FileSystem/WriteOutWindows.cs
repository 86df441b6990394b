using Microsoft.Win32.SafeHandles;

namespace Registry.Infrastructure.FileSystem;

/// <summary>Has the disk keep up with a file that is written from its beginning to its end and flushed then.</summary>
internal static class WriteOutWindows
{
    // The disk begins with a window while the next ones arrive, so that little is left for the flush at the end; and an
    // upload never has more than a few windows that are not on the disk, for which the flushes of others would wait.
    private const int WindowBytes = 8 * 1024 * 1024;
    private const int WindowsInFlight = 3;

    /// <summary>Called when bytes have been written.</summary>
    /// <exception cref="WriteOutException">Something of the file did not get to the disk.</exception>
    public static void Follow(SafeFileHandle file, long offset, int length)
    {
        var window = (offset + length) / WindowBytes;
        if (window == offset / WindowBytes)
            return;
        NativeFiles.WriteOut(file, (window - 1) * WindowBytes, WindowBytes, wait: false);
        if (window > WindowsInFlight)
            NativeFiles.WriteOut(file, (window - 1 - WindowsInFlight) * WindowBytes, WindowBytes, wait: true);
    }
}
