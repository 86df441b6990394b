namespace Registry.Testing.Processes;

/// <summary>A temporary folder that goes with its owner.</summary>
public sealed class WorkFolder : IDisposable
{
    public WorkFolder(string purpose)
        => Path = Directory.CreateTempSubdirectory($"registry-{purpose}-").FullName;

    public string Path { get; }

    /// <summary>A path in this folder; the folders above it exist.</summary>
    public string File(string relativePath)
    {
        var path = System.IO.Path.Combine(Path, relativePath);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        return path;
    }

    public string Folder(string relativePath)
        => Directory.CreateDirectory(System.IO.Path.Combine(Path, relativePath)).FullName;

    public void Dispose()
    {
        // A daemon that was told to end may still be writing its last file.
        for (var attempt = 0; attempt < 10; attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
                return;
            }
            catch (DirectoryNotFoundException)
            {
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Thread.Sleep(200);
            }
        }
    }
}
