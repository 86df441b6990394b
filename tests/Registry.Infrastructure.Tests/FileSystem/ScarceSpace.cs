using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Registry.Infrastructure.Tests.FileSystem;

/// <summary>
/// A folder that takes two megabytes: a small file system of its own where the user may mount one, else a plain folder in
/// a process whose files may not grow beyond that. Both ways the store is told by the operating system.
/// </summary>
internal sealed class ScarceSpace : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly bool _mounted;
    private readonly FileSizeLimit? _limit;

    public ScarceSpace()
    {
        _mounted = Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={Bytes}"), "tmpfs", _folder.Path);
        if (!_mounted)
            _limit = new(Bytes);
    }

    public const int Bytes = 2 << 20;

    public string Path => _folder.Path;

    public void Dispose()
    {
        _limit?.Dispose();
        if (_mounted)
            Run("umount", "--lazy", _folder.Path);
        _folder.Dispose();
    }

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(command, arguments) { RedirectStandardError = true, UseShellExecute = false };
            using var process = Process.Start(start)!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false; // no such command
        }
    }
}

/// <summary>While it lives, no file of this process grows beyond a size.</summary>
internal sealed partial class FileSizeLimit : IDisposable
{
    private const int FileSize = 1; // RLIMIT_FSIZE
    private const int FileSizeExceeded = 25; // SIGXFSZ, which ends the process unless it is ignored

    private readonly Limit _before;

    public FileSizeLimit(int bytes)
    {
        _ = Signal(FileSizeExceeded, handler: 1);
        if (GetLimit(FileSize, out _before) != 0 || SetLimit(FileSize, _before with { Current = (nuint)bytes }) != 0)
            throw new InvalidOperationException("The size of files cannot be limited here.");
    }

    public void Dispose() => _ = SetLimit(FileSize, _before);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);

    private readonly record struct Limit(nuint Current, nuint Maximum);
}
