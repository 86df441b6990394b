using System.Net;
using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Registry.Domain.Errors;
using Registry.Infrastructure.Stores;
using ByteRange = Registry.Domain.Blobs.ByteRange;

namespace Registry.Infrastructure.S3;

/// <summary>
/// The calls to one bucket. Keys are relative to the store's prefix. Each call ends within its time, is repeated while
/// that may help, and throws <see cref="StorageException"/> when it has failed for good.
/// </summary>
internal sealed class S3Bucket : IDisposable
{
    // A part is at most 16 MiB, ending a large upload is real work for some servers: both may take longer than a
    // question.
    private const int Patience = 4;

    private readonly S3Connections _connections = new();
    private readonly AmazonS3Client _client;
    private readonly string _bucket;
    private readonly string _prefix;
    private readonly bool _secure;
    private readonly TimeProvider _time;
    private readonly S3Calls _calls;

    /// <exception cref="StartRefusedException">The options cannot be used.</exception>
    public S3Bucket(string store, StoreOptions options, TimeProvider time)
    {
        _bucket = options.Bucket;
        _prefix = options.Prefix.Trim('/') is { Length: > 0 } prefix ? $"{prefix}/" : "";
        _time = time;
        _secure = options.ServiceUrl?.StartsWith("http:", StringComparison.OrdinalIgnoreCase) is not true;
        _client = _connections.NewClient(store, options);
        Timeout = options.Timeout;
        Faults = new(store);
        _calls = new(Timeout, Faults, time);
    }

    /// <summary>How long one answer may take.</summary>
    public TimeSpan Timeout { get; }

    public S3Faults Faults { get; }

    /// <summary>Opens an object, or a part of it; null when it is not there, or has no such part.</summary>
    public Task<GetObjectResponse?> GetAsync(string key, ByteRange? part, CancellationToken cancellationToken)
        => CallAsync<GetObjectResponse?>(
            async token =>
            {
                var request = new GetObjectRequest { BucketName = _bucket, Key = _prefix + key };
                if (part is { } range)
                    request.ByteRange = new(range.First, range.Last);
                try
                {
                    return await _client.GetObjectAsync(request, token);
                }
                catch (AmazonServiceException e)
                    when (S3Faults.IsNotFound(e) || e.StatusCode is HttpStatusCode.RequestedRangeNotSatisfiable)
                {
                    return null;
                }
            },
            cancellationToken);

    /// <summary>The whole of a small object; null when it is not there.</summary>
    public Task<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
        => CallAsync(token => TryReadAsync(key, token), cancellationToken);

    /// <summary>Writes an object, replacing what is there.</summary>
    public Task PutAsync(string key, Func<Stream> content, CancellationToken cancellationToken)
        => TryPutAsync(key, content, ifAbsent: false, cancellationToken);

    /// <summary>Writes an object. False when there is one already and <paramref name="ifAbsent"/>.</summary>
    public Task<bool> TryPutAsync(
        string key, Func<Stream> content, bool ifAbsent, CancellationToken cancellationToken)
        => CallAsync(
            Patience,
            async token =>
            {
                try
                {
                    await _client.PutObjectAsync(
                        new PutObjectRequest
                        {
                            BucketName = _bucket,
                            Key = _prefix + key,
                            InputStream = content(),
                            ContentType = "application/octet-stream",
                            IfNoneMatch = ifAbsent ? "*" : null,
                            DisablePayloadSigning = _secure ? true : null, // plain http has nothing else to protect it
                        },
                        token);
                    return true;
                }
                catch (AmazonServiceException e) when (ifAbsent && S3Faults.IsConflict(e))
                {
                    return false;
                }
            },
            cancellationToken);

    /// <summary>Deletes an object; it may be gone already.</summary>
    public Task DeleteAsync(string key, CancellationToken cancellationToken)
        => CallAsync(token => _client.DeleteObjectAsync(_bucket, _prefix + key, token), cancellationToken);

    public IAsyncEnumerable<(string Key, DateTimeOffset WrittenAt)> ListAsync(
        string start, CancellationToken cancellationToken)
        => ListAsync(start, pageSize: 1000, cancellationToken);

    /// <summary>The objects whose keys begin with <paramref name="start"/>, in the order of their keys.</summary>
    public async IAsyncEnumerable<(string Key, DateTimeOffset WrittenAt)> ListAsync(
        string start, int pageSize, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? next = null;
        do
        {
            var page = await CallAsync(
                token => _client.ListObjectsV2Async(
                    new()
                    {
                        BucketName = _bucket,
                        Prefix = _prefix + start,
                        ContinuationToken = next,
                        MaxKeys = pageSize,
                    },
                    token),
                cancellationToken);
            foreach (var found in page.S3Objects ?? [])
                yield return (found.Key[_prefix.Length..], Utc(found.LastModified));
            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
    }

    public async Task<string> BeginUploadAsync(string key, CancellationToken cancellationToken)
        => (await CallAsync(
            token => _client.InitiateMultipartUploadAsync(
                new() { BucketName = _bucket, Key = _prefix + key, ContentType = "application/octet-stream" }, token),
            cancellationToken)).UploadId;

    /// <returns>The part's ETag; null when there is no such upload (any more).</returns>
    public Task<string?> UploadPartAsync(
        string key, string upload, int number, IPart part, CancellationToken cancellationToken)
        => CallAsync<string?>(
            Patience,
            async token =>
            {
                try
                {
                    var answer = await _client.UploadPartAsync(
                        new UploadPartRequest
                        {
                            BucketName = _bucket,
                            Key = _prefix + key,
                            UploadId = upload,
                            PartNumber = number,
                            PartSize = part.Length,
                            UseChunkEncoding = false,
                            InputStream = part.OpenRead(),
                            DisablePayloadSigning = _secure ? true : null,
                        },
                        token);
                    return answer.ETag;
                }
                catch (AmazonServiceException e) when (S3Faults.IsNotFound(e))
                {
                    return null;
                }
            },
            cancellationToken);

    /// <summary>Copies bytes of an object of the same bucket into a part, without sending them.</summary>
    public async Task<string> CopyPartAsync(
        string source, ByteRange range, string key, string upload, int number, CancellationToken cancellationToken)
        => (await CallAsync(
            Patience * Patience,
            token => _client.CopyPartAsync(
                new CopyPartRequest
                {
                    SourceBucket = _bucket,
                    SourceKey = _prefix + source,
                    FirstByte = range.First,
                    LastByte = range.Last,
                    DestinationBucket = _bucket,
                    DestinationKey = _prefix + key,
                    UploadId = upload,
                    PartNumber = number,
                },
                token),
            cancellationToken)).ETag;

    /// <summary>Makes the parts an object.</summary>
    public Task<UploadEnd> EndUploadAsync(
        string key, string upload, IReadOnlyList<StagedPart> parts, CancellationToken cancellationToken)
        => CallAsync(
            Patience * Patience,
            async token =>
            {
                try
                {
                    await _client.CompleteMultipartUploadAsync(
                        new()
                        {
                            BucketName = _bucket,
                            Key = _prefix + key,
                            UploadId = upload,
                            PartETags = [.. parts.Select((part, index) => new PartETag(index + 1, part.ETag))],
                        },
                        token);
                    return UploadEnd.Done;
                }
                catch (AmazonServiceException e) when (S3Faults.IsNotFound(e))
                {
                    return UploadEnd.Unknown;
                }
                catch (AmazonServiceException e) when (e.ErrorCode is "InvalidPart" or "InvalidPartOrder")
                {
                    return UploadEnd.OtherParts;
                }
            },
            cancellationToken);

    /// <summary>The parts that an upload has, whoever sent them.</summary>
    public async Task<IReadOnlyList<StagedPart>> ListPartsAsync(
        string key, string upload, CancellationToken cancellationToken)
    {
        var parts = new List<StagedPart>();
        string? next = null;
        do
        {
            var page = await CallAsync(
                token => _client.ListPartsAsync(
                    new() { BucketName = _bucket, Key = _prefix + key, UploadId = upload, PartNumberMarker = next },
                    token),
                cancellationToken);
            parts.AddRange((page.Parts ?? []).Select(part => new StagedPart(part.ETag, part.Size ?? 0)));
            next = page.IsTruncated == true ? page.NextPartNumberMarker?.ToString() : null;
        }
        while (next is not null);
        return parts;
    }

    /// <summary>Drops an upload with its parts; it may be gone already.</summary>
    public Task AbortUploadAsync(string key, string upload, CancellationToken cancellationToken)
        => CallAsync(
            async token =>
            {
                try
                {
                    await _client.AbortMultipartUploadAsync(_bucket, _prefix + key, upload, token);
                }
                catch (AmazonServiceException e) when (S3Faults.IsNotFound(e))
                {
                    // It was aborted or ended before.
                }

                return true;
            },
            cancellationToken);

    /// <summary>The multipart uploads that have not ended, at keys that begin with <paramref name="start"/>.</summary>
    public async IAsyncEnumerable<(string Key, string Upload, DateTimeOffset BegunAt)> ListUploadsAsync(
        string start, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? nextKey = null;
        string? nextUpload = null;
        bool more;
        do
        {
            var page = await CallAsync(
                token => _client.ListMultipartUploadsAsync(
                    new ListMultipartUploadsRequest
                    {
                        BucketName = _bucket,
                        Prefix = _prefix + start,
                        KeyMarker = nextKey,
                        UploadIdMarker = nextUpload,
                    },
                    token),
                cancellationToken);
            foreach (var found in page.MultipartUploads ?? [])
                yield return (found.Key[_prefix.Length..], found.UploadId, Utc(found.Initiated));
            (nextKey, nextUpload) = (page.NextKeyMarker, page.NextUploadIdMarker);
            more = page.IsTruncated == true && nextKey is not null;
        }
        while (more);
    }

    /// <summary>
    /// An address that reads an object without credentials until <paramref name="lifetime"/> is over.
    /// </summary>
    public Uri Sign(string key, TimeSpan lifetime)
        => new(_client.GetPreSignedURL(new()
        {
            BucketName = _bucket,
            Key = _prefix + key,
            Verb = HttpVerb.GET,
            Expires = _time.GetUtcNow().UtcDateTime + lifetime,
            Protocol = _secure ? Protocol.HTTPS : Protocol.HTTP,
        }));

    /// <summary>
    /// As <see cref="ReadAsync"/>, in one call without retries; for the start, whose failures are told one by one.
    /// </summary>
    public async Task<byte[]?> ReadOnceAsync(string key, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        return await TryReadAsync(key, limit.Token);
    }

    public void Dispose()
    {
        _client.Dispose();
        _connections.Dispose();
    }

    private async Task<byte[]?> TryReadAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _client.GetObjectAsync(_bucket, _prefix + key, cancellationToken);
            using var content = new MemoryStream();
            await answer.ResponseStream.CopyToAsync(content, cancellationToken);
            return content.ToArray();
        }
        catch (AmazonServiceException e) when (S3Faults.IsNotFound(e))
        {
            return null;
        }
    }

    private static DateTimeOffset Utc(DateTime? time)
        => new((time ?? DateTime.MaxValue).ToUniversalTime(), TimeSpan.Zero);

    private Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
        => CallAsync(patience: 1, call, cancellationToken);

    private Task<T> CallAsync<T>(
        int patience, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
        => _calls.MakeAsync(patience, call, cancellationToken);
}
