using Microsoft.Win32.SafeHandles;
using Registry.Domain.Errors;
using Registry.Infrastructure.FileSystem;

namespace Registry.Infrastructure.S3;

/// <summary>
/// The local files of blobs that are on their way into a bucket. They lose their name at once, so that nothing is left
/// of them when the process ends without a word.
/// </summary>
/// <remarks>
/// A process that is killed between making a file and taking its name leaves an empty one. Whoever starts next takes
/// its name, too. Should it be another process's that shares the folder, that one wants nothing else.
/// </remarks>
internal sealed class ArrivingFiles(string store, string folder)
{
    /// <summary>What the local disk says about them.</summary>
    public StoreFaults Faults { get; } = new(store);

    /// <summary>Removes the empty files that killed processes have left, as far as it can.</summary>
    public void RemoveLeftovers()
    {
        if (OperatingSystem.IsWindows() || !Directory.Exists(folder))
            return;
        try
        {
            foreach (var file in new DirectoryInfo(folder).EnumerateFiles())
            {
                if (Guid.TryParseExact(file.Name, "D", out _) && file.Length == 0)
                    file.Delete();
            }
        }
        catch (Exception e) when (StoreFaults.Covers(e))
        {
            // Another process was first, or the folder cannot be used, which the next arrival tells.
        }
    }

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
