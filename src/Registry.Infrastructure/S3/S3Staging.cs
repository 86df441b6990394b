using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

internal sealed class S3Staging(string store, S3Bucket bucket, S3Cleaner cleaner) : IUploadStaging
{
    private const int KeptHashes = 4096;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    // A claim decides who may write. This keeps the bytes from whoever drops them, and from a request of this process
    // whose predecessor has lost its claim and does not know it yet.
    private readonly ConcurrentDictionary<UploadId, bool> _held = new();
    private readonly RunningHashes _hashes = new(KeptHashes);
    private readonly PiecePool _pool = new();

    public async Task<IStagedUpload> OpenAsync(UploadSession session, CancellationToken cancellationToken)
    {
        while (!_held.TryAdd(session.Id, true))
            await Task.Delay(Pause, cancellationToken);
        return Open(session.Id, cached: null, session.Offset, session.State);
    }

    /// <summary>An upload that nobody else knows of.</summary>
    /// <param name="cached">The blob, when it gets a location of its own.</param>
    public S3Upload Begin(Digest? cached)
    {
        var id = UploadId.Create();
        _held[id] = true;
        return Open(id, cached, offset: 0, state: null);
    }

    public async Task<bool> DropAsync(UploadId id, string? state, CancellationToken cancellationToken)
    {
        if (!_held.TryAdd(id, true))
            return false;
        try
        {
            return state is null
                ? await cleaner.DropAsync(id, cancellationToken)
                : await cleaner.DropAsync(id, S3Layout.UploadedBlob(id), StagedParts.Parse(state));
        }
        finally
        {
            _held.TryRemove(id, out _);
        }
    }

    public async IAsyncEnumerable<UploadId> ListUntouchedSinceAsync(
        DateTimeOffset time, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        UploadId? last = null;
        await foreach (var (key, writtenAt) in bucket.ListAsync(S3Layout.Uploads, cancellationToken))
        {
            if (writtenAt < time && S3Layout.UploadOf(key, S3Layout.Uploads) is { } id && id != last)
                yield return last = id;
        }

        foreach (var folder in new[] { S3Layout.Blobs, S3Layout.Cached })
        {
            await foreach (var (key, _, begunAt) in bucket.ListUploadsAsync(folder, cancellationToken))
            {
                if (begunAt < time && S3Layout.UploadOf(key, folder) is { } id)
                    yield return id;
            }
        }
    }

    private S3Upload Open(UploadId id, Digest? cached, long offset, string? state)
        => new(
            id, cached, offset, state, store, bucket, cleaner, _pool, _hashes,
            released: () => _held.TryRemove(id, out _));
}
