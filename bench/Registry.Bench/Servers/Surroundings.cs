using System.Runtime.InteropServices;

namespace Registry.Bench.Servers;

/// <summary>The machine that all servers share.</summary>
internal static unsafe partial class Surroundings
{
    private const long Gibi = 1024L * 1024 * 1024;
    private const int PageBytes = 4096;

    /// <summary>Puts disk and memory into the state in which every measurement begins.</summary>
    /// <remarks>
    /// What one server wrote is on the disk before the next one starts. And a virtual machine gets memory from its host
    /// when a page is touched first, again after it was free for a while, at a tenth of the speed at which files are
    /// written: it is touched here, so that neither server pays for it in its page cache.
    /// </remarks>
    public static void Settle()
    {
        Sync();
        var length = (nuint)Math.Min(2 * Gibi, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8);
        var memory = (byte*)NativeMemory.Alloc(length);
        for (nuint offset = 0; offset < length; offset += PageBytes)
            memory[offset] = 1;
        NativeMemory.Free(memory);
    }

    [LibraryImport("libc", EntryPoint = "sync")]
    private static partial void Sync();
}
