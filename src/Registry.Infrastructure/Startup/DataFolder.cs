using Registry.Infrastructure.FileSystem;

namespace Registry.Infrastructure.Startup;

/// <summary>The folder that everything of this instance is in by default.</summary>
/// <param name="alone">
/// Whether one process at a time may have it; otherwise nothing depends on it, and it need not even exist.
/// </param>
internal sealed class DataFolder(string path, bool alone) : IDisposable
{
    private FileStream? _lock;

    public string Path { get; } = path;

    /// <exception cref="StartRefusedException">
    /// The folder cannot be written to, or another process holds it.
    /// </exception>
    public void Hold()
    {
        if (!alone)
            return;
        try
        {
            DurableFiles.CreateFolder(System.IO.Path.GetFullPath(Path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(e);
        }

        var file = System.IO.Path.Combine(Path, "registry.lock");
        try
        {
            // The system gives it back however this process ends.
            _lock = new(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(file) && e is not (FileNotFoundException or DirectoryNotFoundException))
        {
            throw new StartRefusedException(
                $"The data folder '{Path}' is in use by another registry process: stop it, "
                + "or give this one another folder with --data.",
                e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(e);
        }
    }

    public void Dispose() => _lock?.Dispose();

    private StartRefusedException Unusable(Exception e)
        => new(
            $"The data folder '{Path}' cannot be written to ({e.Message}): "
            + "choose another one with --data or Registry:Data.",
            e);
}
