using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

/// <summary>
/// A blob that arrives in a local file and goes up from there while it does: the server is one more reader. Others read
/// the local file, and so get every byte even when the server fails.
/// </summary>
/// <remarks>It holds what one upload does, whatever the length and however many read.</remarks>
internal sealed class S3Arrival : IArrivingBlob
{
    private readonly Spool _spool;
    private readonly S3Upload _upload;
    private readonly S3Faults _faults;
    private readonly string _store;
    private readonly Digest _digest;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<bool> _sending;
    private bool _published;
    private bool _disposed;

    /// <param name="spool">Is disposed with this.</param>
    public S3Arrival(Spool spool, S3Upload upload, S3Faults faults, string store, Digest digest)
    {
        (_spool, _upload, _faults, _store, _digest) = (spool, upload, faults, store, digest);
        _sending = upload.SendAsync(spool, digest, _stop.Token);
    }

    public long Arrived => _spool.Arrived;

    public Task<bool> AppendAsync(Stream content, CancellationToken cancellationToken)
        => _spool.AppendAsync(content, cancellationToken);

    public async Task<StoredBlob?> PublishAsync(CancellationToken cancellationToken)
    {
        if (!_spool.Fits)
        {
            await DiscardAsync();
            return null;
        }

        if (!await _sending.WaitAsync(cancellationToken)
            || await _upload.PublishAsync(_digest, _spool.Size, cancellationToken) is not { } location)
            throw _faults.Of(new IOException($"The upload of {_digest} has been lost."));
        _published = true;
        return new(_store, _digest, location, _spool.Size);
    }

    public IBlobContent OpenRead() => _spool.OpenRead();

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;

        _spool.Dispose(); // readers do not wait for the server's answers
        if (!_published)
            await DiscardAsync();
        await _upload.DisposeAsync();
        _stop.Dispose();
    }

    private async Task DiscardAsync()
    {
        await _stop.CancelAsync();
        await ((Task)_sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _upload.DiscardAsync();
    }
}
