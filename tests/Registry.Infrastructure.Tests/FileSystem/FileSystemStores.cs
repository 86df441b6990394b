using Microsoft.Extensions.Logging.Abstractions;
using Registry.Infrastructure.FileSystem;

namespace Registry.Infrastructure.Tests.FileSystem;

/// <summary>Stores over one temporary folder.</summary>
internal static class FileSystemStores
{
    public static async Task<FileSystemBlobStore> StartAsync(string root, string? staging = null)
    {
        var store = Create(root, staging);
        await store.PrepareAsync(known: null, CancellationToken.None);
        return store;
    }

    public static FileSystemBlobStore Create(string root, string? staging = null)
        => new("main", new() { Root = root, Staging = staging }, NullLogger<FileSystemBlobStore>.Instance, TimeProvider.System);

    /// <summary>All files below a folder, relative, sorted.</summary>
    public static IEnumerable<string> FilesBelow(string folder)
        => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file))
            .Order(StringComparer.Ordinal);
}
