using Registry.Application.Stores;
using Registry.Infrastructure.Tests.Stores;

namespace Registry.Infrastructure.Tests.FileSystem;

[Collection(nameof(Alone))]
public sealed class FileSystemContractTests : CachedContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private protected override async Task<IBlobStore> StartAsync() => await FileSystemStores.StartAsync(_folder.Path);

    private protected override Task DamageAsync(StoredBlob blob, bool completely)
    {
        var path = _folder.Combine(blob.Location);
        if (completely)
            File.Delete(path);
        else
            File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
        return Task.CompletedTask;
    }

    private protected override Task<IReadOnlyList<string>> LeftoversAsync()
        => Task.FromResult<IReadOnlyList<string>>([.. FileSystemStores.FilesBelow(_folder.Path).Where(file => file.StartsWith('_'))]);

    private protected override Task<int> CountBlobsAsync()
        => Task.FromResult(FileSystemStores.FilesBelow(_folder.Path).Count(
            file => file.EndsWith("/data", StringComparison.Ordinal) || file.StartsWith("proxied/", StringComparison.Ordinal)));
}
