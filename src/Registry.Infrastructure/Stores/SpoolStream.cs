namespace Registry.Infrastructure.Stores;

/// <summary>A blob that is still arriving, for what reads streams.</summary>
internal sealed class SpoolStream(Spool spool, CancellationToken cancellationToken) : Stream
{
    private readonly Spool.Follower _follower = spool.Follow(cancellationToken);
    private long _position;
    private bool _disposed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => spool.Size;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_position == spool.Size || buffer.IsEmpty)
            return 0;
        var end = await _follower.WaitAsync(_position);
        var read = spool.Read(buffer.Span[..(int)Math.Min(end - _position, buffer.Length)], _position);
        if (read == 0)
            throw new EndOfStreamException($"The file of the blob ends at byte {_position} of {spool.Size}.");
        _position += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _follower.Dispose();
            spool.Release();
        }

        base.Dispose(disposing);
    }
}
