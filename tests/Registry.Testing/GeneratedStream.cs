using System.Buffers.Binary;

namespace Registry.Testing;

/// <summary>Pseudo-random bytes of any length, made while they are read: the same for the same seed, wherever reading stops.</summary>
public sealed class GeneratedStream(long length, ulong seed = 1) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    /// <summary>All bytes of such a stream at once.</summary>
    public static byte[] Bytes(int length, ulong seed = 1)
    {
        var bytes = new byte[length];
        using var stream = new GeneratedStream(length, seed);
        stream.ReadExactly(bytes);
        return bytes;
    }

    public override int Read(Span<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, length - _position);
        Span<byte> block = stackalloc byte[sizeof(ulong)];
        for (var done = 0; done < count;)
        {
            var (index, skip) = Math.DivRem(_position, sizeof(ulong));
            BinaryPrimitives.WriteUInt64LittleEndian(block, Mix(seed + (ulong)index * 0x9E3779B97F4A7C15));
            var take = (int)Math.Min(sizeof(ulong) - skip, count - done);
            block.Slice((int)skip, take).CopyTo(buffer[done..]);
            done += take;
            _position += take;
        }

        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(Read(buffer.Span));
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    // splitmix64
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
