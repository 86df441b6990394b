using Registry.Application.Stores;
using Registry.Infrastructure.Tests.Stores;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.S3;

[Collection(nameof(S3Servers))]
public sealed class S3ContractTests : CachedContract, IDisposable
{
    private readonly S3Place _place = new(SharedS3.Server);

    public void Dispose() => _place.Dispose();

    private protected override async Task<IBlobStore> StartAsync() => await _place.StartAsync();

    private protected override async Task DamageAsync(StoredBlob blob, bool completely)
    {
        if (completely)
            await _place.DeleteAsync(blob.Location);
        else
            await _place.WriteAsync(blob.Location, (await _place.ReadAsync(blob.Location))[..^1]);
    }

    private protected override async Task<IReadOnlyList<string>> LeftoversAsync()
    {
        var local = Directory.Exists(_place.Staging) ? Directory.GetFiles(_place.Staging) : [];
        var uploads = Enumerable.Repeat("a multipart upload", await _place.CountOpenUploadsAsync());
        return [.. await _place.KeysAsync("_"), .. uploads, .. local];
    }

    private protected override async Task<int> CountBlobsAsync() 
        => (await _place.KeysAsync("docker/registry/v2/blobs")).Count + (await _place.KeysAsync("_proxied")).Count;
}
