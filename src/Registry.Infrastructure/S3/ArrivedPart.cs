using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

/// <summary>A part whose bytes are in the local file of an arriving blob, and stay there: it takes no memory.</summary>
internal sealed class ArrivedPart(Spool spool, long first, int length) : IPart
{
    public int Length => length;

    public Stream OpenRead() => new SpoolPart(spool, first, length);

    public void Dispose()
    {
    }

    // What has arrived is in the page cache.
    private sealed class SpoolPart(Spool spool, long first, int length) : PartStream(length)
    {
        public override long Position { get; set; }

        public override int Read(Span<byte> buffer)
        {
            var wanted = (int)Math.Min(buffer.Length, Length - Position);
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
    }
}
