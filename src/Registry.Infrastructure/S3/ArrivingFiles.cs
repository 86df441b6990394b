using Microsoft.Win32.SafeHandles;
using Registry.Domain.Errors;
using Registry.Infrastructure.FileSystem;

namespace Registry.Infrastructure.S3;

/// <summary>
/// The local files of blobs that are on their way into a bucket. They have no name from the start, so that nothing is
/// left of them when the process ends without a word.
/// </summary>
internal sealed class ArrivingFiles(string store, string folder)
{
    /// <summary>What the local disk says about them.</summary>
    public StoreFaults Faults { get; } = new(store);

    /// <exception cref="StorageException">The folder cannot be used.</exception>
    public SafeFileHandle Create() => Faults.Guard(() =>
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, Guid.NewGuid().ToString("D"));
        // Windows keeps the name until the file is closed, by whomever.
        var file = File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None,
            OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None);
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return file;
    });
}
