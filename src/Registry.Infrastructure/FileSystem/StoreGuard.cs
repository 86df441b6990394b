using Microsoft.Extensions.Logging;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.FileSystem;

/// <summary>
/// Sees to it that a root is used by one kind of software only: a small file at its top says whose it is and in which
/// layout.
/// </summary>
internal sealed partial class StoreGuard(
    string store, FileSystemLayout layout, DurableFiles files, ILogger logger, TimeProvider time)
{
    // Longer than any file takes to be written; what is older was left by a crash.
    private static readonly TimeSpan TemporaryFilesLive = TimeSpan.FromDays(1);

    /// <param name="known">The id that the root must carry; null when any will do.</param>
    /// <returns>The id that the root carries.</returns>
    /// <exception cref="StartRefusedException">The root cannot or must not be used.</exception>
    public string Prepare(string? known)
    {
        var id = CheckOwner(known);
        Try("Staging", layout.Staging, () => Directory.CreateDirectory(layout.Staging));
        Try("Root", layout.Root, () => Directory.CreateDirectory(layout.Temporary));
        ProbeStaging();
        DeleteLeftovers();
        return id;
    }

    /// <summary>
    /// Keeps other processes out of the store until the result is disposed; the system ends it with the process.
    /// </summary>
    /// <exception cref="StartRefusedException">Another process has it.</exception>
    public FileStream Hold()
    {
        try
        {
            return new(layout.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException cause) when (File.Exists(layout.Lock))
        {
            throw Refused(
                "Root", layout.Root, "is in use by another registry process", "Stop it, or choose another folder.",
                cause);
        }
    }

    private string CheckOwner(string? known)
    {
        byte[]? mark = null;
        Try("Root", layout.Root, () => mark = File.Exists(layout.Guard) ? File.ReadAllBytes(layout.Guard) : null);
        if (mark is null)
        {
            if (Directory.Exists(layout.Content))
            {
                throw Refused(
                    "Root", layout.Root, "holds the data of another registry",
                    "Choose an empty folder, and import that data.");
            }

            // A disk that is not mounted leaves an empty folder: taken for the store, every blob would count as lost.
            if (known is not null)
            {
                throw Refused(
                    "Root", layout.Root, $"has no '{layout.Guard}', but the database knows this store",
                    "Mount the disk, or name the folder that has it.");
            }

            if (Directory.Exists(layout.Root)
                && Directory.EnumerateFileSystemEntries(layout.Root)
                    .Any(entry => Path.GetFileName(entry) != "lost+found"))
                throw Refused("Root", layout.Root, "holds other files", "Choose an empty folder.");

            var made = StoreMark.Create();
            Try("Root", layout.Root, () => files.WriteGuard(made.ToJson()));
            return made.Id!;
        }

        var owner = StoreMark.Parse(mark);
        return StoreMark.FindFault(owner, known, layout.Guard, "folder") is var (problem, fix)
            ? throw Refused("Root", layout.Root, problem, fix)
            : owner!.Id!;
    }

    // A file takes the way of every upload: this finds out whether both folders can be written, and whether they share
    // a device.
    private void ProbeStaging()
    {
        var name = Path.GetFileName(layout.NewTemporaryPath());
        var (from, to) = (Path.Combine(layout.Staging, $"{name}.probe"), Path.Combine(layout.Temporary, name));
        Try("Staging", layout.Staging, () => File.WriteAllBytes(from, []));
        Try("Root", layout.Root, () =>
        {
            if (NativeFiles.TryRename(from, to))
            {
                File.Delete(to);
                return;
            }

            File.Delete(from);
            File.WriteAllBytes(to, []);
            File.Delete(to);
            Log.StagingElsewhere(logger, store, layout.Staging, layout.Root);
        });
    }

    private void DeleteLeftovers() => Try("Root", layout.Root, () =>
    {
        var before = (time.GetUtcNow() - TemporaryFilesLive).UtcDateTime;
        foreach (var file in new DirectoryInfo(layout.Temporary).EnumerateFiles())
        {
            if (file.LastWriteTimeUtc < before)
                file.Delete();
        }
    });

    private void Try(string key, string folder, Action action)
    {
        try
        {
            action();
        }
        catch (Exception cause) when (StoreFaults.Covers(cause))
        {
            throw Refused(
                key, folder, $"cannot be used ({cause.Message})",
                "Let the server's user write there, or choose another folder.", cause);
        }
    }

    private StartRefusedException Refused(
        string key, string folder, string problem, string fix, Exception? cause = null)
        => new($"Registry:Stores:{store}:{key} is '{folder}', which {problem}. {fix}", cause);

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Information,
            "Store {Store}: the staging folder {Staging} is on another device than {Root}; "
            + "every finished upload is copied once.")]
        public static partial void StagingElsewhere(ILogger logger, string store, string staging, string root);
    }
}
