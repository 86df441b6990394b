using System.IO.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using Registry.Application.Stores;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;

namespace Registry.Web.Tests.Errors;

/// <summary>The stores of a registry on a disk that takes everything and gives nothing back.</summary>
internal sealed class BrokenStores(IBlobStores stores) : IBlobStores
{
    public IReadOnlyCollection<IBlobStore> All { get; } = [.. stores.All.Select(store => new BrokenStore(store))];

    public static void PutInPlace(IServiceCollection services)
    {
        var real = services.Last(service => service.ServiceType == typeof(IBlobStores));
        services.AddSingleton<IBlobStores>(provider => new BrokenStores((IBlobStores)real.ImplementationFactory!(provider)));
    }

    public IBlobStore? Find(string name) => All.FirstOrDefault(store => store.Name == name);

    private sealed class BrokenStore(IBlobStore store) : IBlobStore
    {
        public string Name => store.Name;

        public IUploadStaging Staging => store.Staging;

        public async Task<IBlobContent?> OpenAsync(StoredBlob blob, ByteRange? part, CancellationToken cancellationToken)
            => await store.OpenAsync(blob, part, cancellationToken) is { } content ? new BrokenContent(content) : null;

        public Task<IArrivingBlob> ReceiveAsync(
            Digest digest, long size, bool cached, CancellationToken cancellationToken)
            => store.ReceiveAsync(digest, size, cached, cancellationToken);

        public bool IsCached(Digest digest, string location) => store.IsCached(digest, location);

        public Task RemoveCachedAsync(Digest digest, string location, CancellationToken cancellationToken)
            => store.RemoveCachedAsync(digest, location, cancellationToken);

        public IAsyncEnumerable<CachedLocation> ListCachedAsync(DateTimeOffset time, CancellationToken cancellationToken)
            => store.ListCachedAsync(time, cancellationToken);
    }

    private sealed class BrokenContent(IBlobContent content) : IBlobContent
    {
        public long Size => content.Size;

        public Uri? Address => content.Address;

        public Task CopyToAsync(PipeWriter destination, ByteRange range, CancellationToken cancellationToken)
        {
            _ = destination.GetMemory((int)range.Length); // a store that reads asks first where to
            throw new StorageException(OciError.Unavailable("store 'default'"), new IOException("Input/output error"));
        }

        public ValueTask DisposeAsync() => content.DisposeAsync();
    }
}
