using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

/// <summary>A part whose bytes are in the local file of an arriving blob, and stay there: it takes no memory.</summary>
internal sealed class ArrivedPart(Spool spool, long first, int length) : IPart
{
    public int Length => length;

    public Stream OpenRead() => new PartStream(spool, first, length);

    public void Dispose()
    {
    }

    private sealed class PartStream(Spool spool, long first, int length) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get; set; }

        public override int Read(Span<byte> buffer)
        {
            var wanted = (int)Math.Min(buffer.Length, length - Position);
            if (wanted <= 0)
                return 0;
            var read = spool.Read(buffer[..wanted], first + Position);
            if (read == 0)
            {
                throw new EndOfStreamException(
                    $"The file of the blob ends at byte {first + Position} of {spool.Size}.");
            }

            Position += read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        // What has arrived is in the page cache.
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            => ValueTask.FromResult(Read(buffer.Span));

        public override Task<int> ReadAsync(
            byte[] buffer, int offset, int count, CancellationToken cancellationToken)
            => Task.FromResult(Read(buffer.AsSpan(offset, count)));

        public override long Seek(long offset, SeekOrigin origin)
            => Position = offset + origin switch
            {
                SeekOrigin.Begin => 0,
                SeekOrigin.Current => Position,
                _ => length,
            };

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
