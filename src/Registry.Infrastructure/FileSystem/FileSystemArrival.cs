using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.FileSystem;

/// <summary>
/// A blob that arrives in a file of the staging folder, which becomes the blob's: its bytes are written once. Held as
/// an upload is, and purged as one when the process ends without a word.
/// </summary>
internal sealed class FileSystemArrival(StagedFile staged, Spool spool, string store, Digest digest, bool cached)
    : IArrivingBlob
{
    private bool _published;

    public long Arrived => spool.Arrived;

    public Task<bool> AppendAsync(Stream content, CancellationToken cancellationToken)
        => spool.AppendAsync(content, cancellationToken);

    public async Task<StoredBlob?> PublishAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!spool.Fits)
        {
            await staged.DiscardAsync();
            return null;
        }

        var location = staged.PublishVerified(digest, cached);
        _published = true;
        return new(store, digest, location, spool.Size);
    }

    public IBlobContent OpenRead() => spool.OpenRead();

    public async ValueTask DisposeAsync()
    {
        spool.Dispose();
        if (!_published)
            await staged.DiscardAsync();
        await staged.DisposeAsync();
    }
}
