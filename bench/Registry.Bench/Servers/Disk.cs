using System.Runtime.InteropServices;

namespace Registry.Bench.Servers;

/// <summary>The disk that all servers share.</summary>
internal static partial class Disk
{
    /// <summary>Waits until what one server wrote is on the disk, so that the next one does not pay for it.</summary>
    public static void Settle() => Sync();

    [LibraryImport("libc", EntryPoint = "sync")]
    private static partial void Sync();
}
