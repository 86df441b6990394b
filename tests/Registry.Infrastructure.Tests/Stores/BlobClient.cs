using System.IO.Pipelines;
using Registry.Application.Stores;
using Registry.Domain.Blobs;

namespace Registry.Infrastructure.Tests.Stores;

/// <summary>A client that is being sent a blob, and reads when the test says so.</summary>
internal sealed class BlobClient
{
    /// <summary>A hang must end as a failure.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Pipe _pipe = new();
    private readonly Task _sending;

    private BlobClient(IBlobContent content, ByteRange range, CancellationToken cancellationToken)
        => _sending = Task.Run(() => SendAsync(content, range, cancellationToken), CancellationToken.None);

    public static BlobClient Fetch(IArrivingBlob blob, CancellationToken cancellationToken = default)
    {
        var content = blob.OpenRead();
        return new(content, new(0, content.Size - 1), cancellationToken);
    }

    public static BlobClient FetchPart(IArrivingBlob blob, int first, int last)
        => new(blob.OpenRead(), new(first, last), CancellationToken.None);

    /// <summary>The next bytes, once so many have been sent.</summary>
    public async Task<byte[]> TakeAsync(int count)
    {
        var read = await _pipe.Reader.ReadAtLeastAsync(count).AsTask().WaitAsync(Patience);
        var bytes = read.Buffer.Slice(0, count);
        var copy = System.Buffers.BuffersExtensions.ToArray(bytes);
        _pipe.Reader.AdvanceTo(bytes.End);
        return copy;
    }

    /// <summary>All that is still sent, to the end of the sending, whether that is good or not.</summary>
    public async Task<byte[]> TakeAllAsync()
    {
        using var all = new MemoryStream();
        await _pipe.Reader.CopyToAsync(all).WaitAsync(Patience);
        return all.ToArray();
    }

    /// <summary>Goes away.</summary>
    public ValueTask LeaveAsync() => _pipe.Reader.CompleteAsync();

    /// <summary>Ends as the sending does.</summary>
    public Task EndAsync() => _sending.WaitAsync(Patience);

    private async Task SendAsync(IBlobContent content, ByteRange range, CancellationToken cancellationToken)
    {
        await using var _ = content;
        try
        {
            await content.CopyToAsync(_pipe.Writer, range, cancellationToken);
        }
        finally
        {
            await _pipe.Writer.CompleteAsync(); // what was sent before a failure is there to be read
        }
    }
}
