using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Registry.Application.Stores;
using Registry.Infrastructure.FileSystem;
using Registry.Infrastructure.S3;

namespace Registry.Infrastructure.Stores;

internal sealed class BlobStores(
    IReadOnlyDictionary<string, StoreOptions> options, ILoggerFactory loggers, TimeProvider time)
    : IBlobStores, IDisposable
{
    private readonly FrozenDictionary<string, IStoreAdapter> _stores = options.ToFrozenDictionary(
        entry => entry.Key,
        entry => entry.Value.Kind switch
        {
            StoreKind.FileSystem => (IStoreAdapter)new FileSystemBlobStore(
                entry.Key, entry.Value, loggers.CreateLogger<FileSystemBlobStore>(), time),
            StoreKind.S3 => new S3BlobStore(entry.Key, entry.Value, loggers.CreateLogger<S3BlobStore>(), time),
            _ => throw new InvalidOperationException(
                $"Registry:Stores:{entry.Key}:Kind is '{entry.Value.Kind}', which is no kind of store."),
        },
        StringComparer.Ordinal);

    public IReadOnlyCollection<IBlobStore> All => _stores.Values;

    public IReadOnlyCollection<IStoreAdapter> Adapters => _stores.Values;

    public IBlobStore? Find(string name) => _stores.GetValueOrDefault(name);

    /// <summary>
    /// Where the manifests of a store's repositories are copied to; null when the configuration has no such store.
    /// </summary>
    public IManifestArchive? FindArchive(string name) => _stores.GetValueOrDefault(name)?.Manifests;

    public void Dispose()
    {
        foreach (var store in _stores.Values)
            (store as IDisposable)?.Dispose();
    }
}
