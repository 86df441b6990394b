using System.Globalization;
using System.Runtime.CompilerServices;
using Amazon.S3.Model;
using Microsoft.Extensions.Logging;
using Registry.Application.Stores;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Infrastructure.Stores;
using ByteRange = Registry.Domain.Blobs.ByteRange;

namespace Registry.Infrastructure.S3;

/// <summary>Blobs as objects of a bucket, which several nodes may share. <see cref="S3Layout"/> draws it.</summary>
internal sealed class S3BlobStore : IStoreAdapter, IDisposable
{
    // Long enough for a client that waits before it follows; a download that has begun may take longer.
    private static readonly TimeSpan AddressLives = TimeSpan.FromMinutes(15);

    // Some servers date an object by the begin of its multipart upload.
    private static readonly TimeSpan LongestUpload = TimeSpan.FromDays(1);

    private readonly StoreOptions _options;
    private readonly S3Bucket _bucket;
    private readonly S3Guard _guard;
    private readonly S3Staging _staging;
    private readonly ArrivingFiles _arriving;

    public S3BlobStore(string name, StoreOptions options, ILogger<S3BlobStore> logger, TimeProvider time)
    {
        if (string.IsNullOrWhiteSpace(options.Staging))
        {
            throw new StartRefusedException(
                $"Registry:Stores:{name}:Staging is empty: name a folder for blobs on their way from elsewhere.");
        }

        Name = name;
        _options = options;
        _bucket = new(name, options, time);
        _guard = new(name, options, _bucket);
        _staging = new(name, _bucket, new(name, _bucket, logger));
        _arriving = new(name, options.Staging);
        Manifests = new S3ManifestArchive(_bucket);
    }

    public string Name { get; }

    public IUploadStaging Staging => _staging;

    public IManifestArchive Manifests { get; }

    public Task<string> PrepareAsync(string? known, CancellationToken cancellationToken)
    {
        _arriving.RemoveLeftovers();
        return _guard.PrepareAsync(known, cancellationToken);
    }

    public void Hold()
    {
        // A bucket is for all nodes.
    }

    public void Dispose() => _bucket.Dispose();

    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _guard.ThrowIfDetachedAsync(cancellationToken);
            return null;
        }
        catch (StorageException e)
        {
            return e.Error.Message;
        }
    }

    public Task<IArrivingBlob> ReceiveAsync(
        Digest digest, long size, bool cached, CancellationToken cancellationToken)
    {
        var file = _arriving.Create();
        var spool = new Spool(file, file, digest, size, durable: false, _arriving.Faults);
        return Task.FromResult<IArrivingBlob>(
            new S3Arrival(spool, _staging.Begin(cached ? digest : null), _bucket.Faults, Name, digest));
    }

    public async Task<IBlobContent?> OpenAsync(StoredBlob blob, ByteRange? part, CancellationToken cancellationToken)
    {
        if (S3Layout.Locate(blob.Location, blob.Digest) is not { } key)
            return null;

        var content = _options.Redirect && blob.Size > 0 && blob.Size >= _options.RedirectMinBytes
            ? await S3BlobContent.FindAsync(_bucket, key, blob.Size, AddressLives, cancellationToken)
            : await S3BlobContent.OpenAsync(_bucket, key, blob.Size, part, cancellationToken);
        if (content is null)
            await _guard.ThrowIfDetachedAsync(cancellationToken);
        return content;
    }

    public bool IsCached(Digest digest, string location) => S3Layout.IsCached(location, digest);

    public Task RemoveCachedAsync(Digest digest, string location, CancellationToken cancellationToken)
        => IsCached(digest, location) ? _bucket.DeleteAsync(location, cancellationToken) : Task.CompletedTask;

    public async IAsyncEnumerable<CachedLocation> ListCachedAsync(
        DateTimeOffset time, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (key, writtenAt) in _bucket.ListAsync(S3Layout.Cached, cancellationToken))
        {
            if (writtenAt < time - LongestUpload && S3Layout.CachedOf(key) is { } cached)
                yield return cached;
        }
    }

    /// <summary>How long the whole object is, whichever part of it the answer has.</summary>
    public static long SizeOf(GetObjectResponse answer)
        => answer.ContentRange is { Length: > 0 } range
            && long.TryParse(
                range.AsSpan(range.LastIndexOf('/') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            ? size
            : answer.ContentLength;
}
