using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Registry.Infrastructure.S3;
using Registry.Infrastructure.Stores;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.S3;

/// <summary>Memory is measured: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(S3Servers), DisableParallelization = true)]
public sealed class S3Servers;

/// <summary>Stores over one prefix of the bucket, and what is behind their back.</summary>
internal sealed class S3Place(S3Server server) : IDisposable
{
    private readonly AmazonS3Client _client = server.CreateClient();

    private readonly List<S3BlobStore> _stores = [];
    private readonly TemporaryFolder _folder = new();

    public string Prefix { get; } = SharedS3.NewPrefix();

    /// <summary>The local folder for what arrives.</summary>
    public string Staging => _folder.Combine("arriving");

    public StoreOptions Options => new()
    {
        Kind = StoreKind.S3,
        ServiceUrl = server.Address.ToString(),
        Bucket = server.Bucket,
        Prefix = Prefix,
        AccessKey = server.AccessKey,
        SecretKey = server.SecretKey,
        Staging = Staging,
    };

    public S3BlobStore Create(Action<StoreOptions>? change = null)
    {
        var options = Options;
        change?.Invoke(options);
        var store = new S3BlobStore("cloud", options, NullLogger<S3BlobStore>.Instance, TimeProvider.System);
        _stores.Add(store);
        return store;
    }

    /// <summary>A store as a node has it after its start.</summary>
    public async Task<S3BlobStore> StartAsync(Action<StoreOptions>? change = null)
    {
        var store = Create(change);
        await store.PrepareAsync(known: null, CancellationToken.None);
        return store;
    }

    /// <summary>The keys below the prefix that begin so, sorted.</summary>
    public async Task<IReadOnlyList<string>> KeysAsync(string start = "")
    {
        var keys = new List<string>();
        string? next = null;
        do
        {
            var page = await _client.ListObjectsV2Async(
                new() { BucketName = server.Bucket, Prefix = $"{Prefix}/{start}", ContinuationToken = next });
            keys.AddRange((page.S3Objects ?? []).Select(found => found.Key[(Prefix.Length + 1)..]));
            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
        return keys;
    }

    /// <summary>How many multipart uploads have not ended.</summary>
    public async Task<int> CountOpenUploadsAsync()
        => (await _client.ListMultipartUploadsAsync(
            new ListMultipartUploadsRequest { BucketName = server.Bucket, Prefix = $"{Prefix}/" })).MultipartUploads?.Count ?? 0;

    public async Task<byte[]> ReadAsync(string key)
    {
        using var answer = await _client.GetObjectAsync(server.Bucket, $"{Prefix}/{key}");
        using var content = new MemoryStream();
        await answer.ResponseStream.CopyToAsync(content);
        return content.ToArray();
    }

    public Task WriteAsync(string key, byte[] content)
        => _client.PutObjectAsync(
            new() { BucketName = server.Bucket, Key = $"{Prefix}/{key}", InputStream = new MemoryStream(content) });

    public Task DeleteAsync(string key) => _client.DeleteObjectAsync(server.Bucket, $"{Prefix}/{key}");

    public void Dispose()
    {
        foreach (var store in _stores)
            store.Dispose();
        _client.Dispose();
        _folder.Dispose();
    }
}
