using Microsoft.Extensions.Logging;
using Registry.Domain.Errors;
using Registry.Domain.Uploads;

namespace Registry.Infrastructure.S3;

/// <summary>
/// Takes away what uploads have left. It may fail: the purge of uploads finds again what stays behind.
/// </summary>
internal sealed partial class S3Cleaner(string store, S3Bucket bucket, ILogger logger)
{
    /// <summary>Deletes objects, behind the answer to the request that needs them no longer.</summary>
    public void Delete(IEnumerable<string> keys)
    {
        foreach (var key in keys)
            _ = TryAsync(() => bucket.DeleteAsync(key, CancellationToken.None));
    }

    /// <summary>Drops an upload's bytes where its state says they are.</summary>
    /// <param name="key">Of the object that the upload would have become.</param>
    public Task<bool> DropAsync(UploadId id, string key, StagedParts parts)
        => TryAsync(async () =>
        {
            if (parts.Upload is { } upload)
                await bucket.AbortUploadAsync(key, upload, CancellationToken.None);
            foreach (var rest in new[] { parts.Rest, parts.OldRest }.OfType<string>())
                await bucket.DeleteAsync(S3Layout.Rest(id, rest), CancellationToken.None);
        });

    /// <summary>Drops all of an upload's bytes, wherever they are.</summary>
    public Task<bool> DropAsync(UploadId id, CancellationToken cancellationToken)
        => TryAsync(async () =>
        {
            foreach (var start in new[] { S3Layout.UploadedBlob(id), S3Layout.CachedFolder(id) })
            {
                await foreach (var (key, upload, _) in bucket.ListUploadsAsync(start, cancellationToken))
                    await bucket.AbortUploadAsync(key, upload, cancellationToken);
            }

            await foreach (var (key, _) in bucket.ListAsync(S3Layout.UploadFolder(id), cancellationToken))
                await bucket.DeleteAsync(key, cancellationToken);
        });

    private async Task<bool> TryAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception cause) when (cause is StorageException or ObjectDisposedException)
        {
            Log.NotDropped(logger, store, cause);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning,
            "Store {Store}: what an upload has left could not be deleted; the purge of uploads will try again.")]
        public static partial void NotDropped(ILogger logger, string store, Exception cause);
    }
}
