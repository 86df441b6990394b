using System.Buffers;

namespace Registry.Infrastructure.Upstreams;

/// <summary>The body of an answer. It ends where it should, goes on all the time, or fails.</summary>
/// <param name="upstream">Its host, for messages.</param>
/// <param name="length">How many bytes it must have; null for any number.</param>
/// <param name="silence">How long it may be silent.</param>
/// <param name="count">Is told how many bytes have come.</param>
internal sealed class UpstreamBody(
    string upstream, Stream content, long? length, TimeSpan silence, Action<int> count)
    : Stream
{
    private const int SkippedAtOnce = 64 * 1024;

    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">
    /// The connection broke, nothing came for too long, or it has another length.
    /// </exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await ReceiveAsync(buffer, cancellationToken);
        count(read);
        _read += read;
        if (_read > length || (read == 0 && buffer.Length > 0 && _read < length))
        {
            throw new IOException(
                $"The upstream {upstream} sent another number of bytes than the {length} it announced.");
        }

        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
        => throw new NotSupportedException("The network is read asynchronously.");

    /// <summary>Drops what nobody wants.</summary>
    /// <exception cref="IOException">As of reading, or it is shorter.</exception>
    public async Task SkipAsync(long bytes, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(SkippedAtOnce);
        try
        {
            while (bytes > 0)
            {
                var read = await ReadAsync(
                    buffer.AsMemory(0, (int)Math.Min(bytes, buffer.Length)), cancellationToken);
                if (read == 0)
                    throw new EndOfStreamException($"The upstream {upstream} sent too few bytes.");
                bytes -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>All of it; null when it has more bytes than that.</summary>
    public async Task<byte[]?> ReadAllAsync(int limit, CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(SkippedAtOnce);
        try
        {
            while (await ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                if (all.Length + read > limit)
                    return null;
                all.Write(buffer, 0, read);
            }

            return all.ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            content.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(silence);
        try
        {
            return await content.ReadAsync(buffer, patience.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"The upstream {upstream} was silent for {silence.TotalSeconds} s.", e);
        }
        catch (HttpRequestException e)
        {
            throw new IOException($"The upstream {upstream} broke off: {e.GetBaseException().Message}", e);
        }
    }
}
