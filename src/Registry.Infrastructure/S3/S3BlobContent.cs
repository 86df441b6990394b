using System.Diagnostics;
using System.IO.Pipelines;
using Amazon.S3.Model;
using Registry.Application.Stores;
using ByteRange = Registry.Domain.Blobs.ByteRange;

namespace Registry.Infrastructure.S3;

/// <summary>
/// An object that has been opened: the answer to the first read is on its way already. A connection that breaks is
/// taken up again where it broke.
/// </summary>
internal sealed class S3BlobContent : IBlobContent
{
    // What comes from the network comes in small pieces. To hand on each would wake the client, and this side, four
    // times as often.
    private const int PieceBytes = 256 * 1024;
    private const int MaxFailures = 3;

    // From a slow server, a client gets what there is; this is looked at between reads.
    private static readonly TimeSpan MostDelay = TimeSpan.FromMilliseconds(100);

    private readonly S3Bucket _bucket;
    private readonly string _key;
    private readonly ByteRange _opened;
    private GetObjectResponse? _answer;

    private S3BlobContent(S3Bucket bucket, string key, long size, ByteRange opened, GetObjectResponse? answer)
        => (_bucket, _key, Size, _opened, _answer) = (bucket, key, size, opened, answer);

    public long Size { get; }

    public Uri? Address { get; private init; }

    /// <summary>Null when there is no such object, or it has another length.</summary>
    public static async Task<S3BlobContent?> OpenAsync(
        S3Bucket bucket, string key, long size, ByteRange? part, CancellationToken cancellationToken)
    {
        var answer = await bucket.GetAsync(key, part, cancellationToken);
        if (answer is null || S3BlobStore.SizeOf(answer) != size)
        {
            answer?.Dispose();
            return null;
        }

        return new(bucket, key, size, part ?? new ByteRange(0, size - 1), answer);
    }

    /// <summary>As <see cref="OpenAsync"/>, for a client that is told where to fetch the bytes.</summary>
    public static async Task<S3BlobContent?> FindAsync(
        S3Bucket bucket, string key, long size, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        using var answer = await bucket.GetAsync(key, new ByteRange(0, 0), cancellationToken);
        return answer is not null && S3BlobStore.SizeOf(answer) == size
            ? new(bucket, key, size, default, answer: null) { Address = bucket.Sign(key, lifetime) }
            : null;
    }

    /// <exception cref="Domain.Errors.StorageException">
    /// The object cannot be read (any more): the caller cuts the connection, since the length is promised.
    /// </exception>
    public async Task CopyToAsync(PipeWriter destination, ByteRange range, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var answer = range == _opened ? Interlocked.Exchange(ref _answer, null) : null;
        try
        {
            var failures = 0;
            for (var offset = range.First; offset <= range.Last;)
            {
                var wanted = (int)Math.Min(range.Last - offset + 1, PieceBytes);
                var piece = destination.GetMemory(wanted)[..wanted];
                var count = 0;
                Exception? failure = null;
                try
                {
                    var started = Stopwatch.GetTimestamp();
                    while (count < wanted && (count == 0 || Stopwatch.GetElapsedTime(started) < MostDelay))
                    {
                        answer ??= await ReopenAsync(new(offset + count, range.Last), cancellationToken);
                        limit.CancelAfter(_bucket.Timeout);
                        var read = await answer.ResponseStream.ReadAsync(piece[count..], limit.Token);
                        limit.CancelAfter(Timeout.InfiniteTimeSpan); // how fast the client reads is not its affair
                        if (read == 0)
                            throw new IOException($"The object ends at byte {offset + count} of {Size}.");
                        (count, failures) = (count + read, 0);
                    }
                }
                catch (Exception e) when (S3Faults.Covers(e) && !cancellationToken.IsCancellationRequested)
                {
                    failure = e;
                    limit.CancelAfter(Timeout.InfiniteTimeSpan); // the next answer has its own time
                }

                // What came before a failure is the client's, whatever happens next.
                if (count > 0)
                {
                    offset += count;
                    destination.Advance(count);
                    var flushed = await destination.FlushAsync(cancellationToken);
                    if (flushed.IsCompleted || flushed.IsCanceled)
                        return; // nobody reads any more
                }

                if (failure is not null)
                {
                    answer?.Dispose();
                    answer = null;
                    if (limit.IsCancellationRequested || failures == MaxFailures)
                        throw _bucket.Faults.Of(failure);
                    await Task.Delay(RetryBudget.PauseBefore(++failures), cancellationToken);
                }
            }
        }
        finally
        {
            answer?.Dispose();
        }
    }

    public ValueTask DisposeAsync()
    {
        _answer?.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<GetObjectResponse> ReopenAsync(ByteRange range, CancellationToken cancellationToken)
        => await _bucket.GetAsync(_key, range, cancellationToken)
            ?? throw _bucket.Faults.Of(new IOException($"The object {_key} is gone."));
}
