using Registry.Application.Stores;
using Registry.Application.Uploads;
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
    private readonly IStagedUpload _upload;
    private readonly S3Faults _faults;
    private readonly string _store;
    private readonly Digest _digest;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<AppendedBytes?> _sending;
    private bool _published;
    private bool _disposed;

    /// <param name="spool">Is disposed with this.</param>
    public S3Arrival(Spool spool, IStagedUpload upload, S3Faults faults, string store, Digest digest)
    {
        (_spool, _upload, _faults, _store, _digest) = (spool, upload, faults, store, digest);
        _sending = SendAsync();
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

        var sent = await _sending.WaitAsync(cancellationToken);
        if (sent is not { Complete: true }
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

    private async Task<AppendedBytes?> SendAsync()
    {
        await using var content = _spool.OpenStream(_stop.Token);
        return await _upload.AppendAsync(content, _digest.Algorithm, final: true, CancellationToken.None);
    }

    private async Task DiscardAsync()
    {
        await _stop.CancelAsync();
        await ((Task)_sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _upload.DiscardAsync();
    }
}
