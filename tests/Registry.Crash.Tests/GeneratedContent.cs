using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Registry.Crash.Tests;

/// <summary>Bytes that follow from a seed, so that gigabytes can be sent and checked without being kept.</summary>
internal sealed record GeneratedContent(int Seed, long Length, string Algorithm = "sha256")
{
    private const int BlockBytes = 64 * 1024;

    public string Digest { get; } = DigestOf(new GeneratedStream(Seed, 0, Length), Algorithm);

    public Stream Open() => Open(0, Length);

    public Stream Open(long start, long length) => new GeneratedStream(Seed, start, length);

    public byte[] ToArray()
    {
        var bytes = new byte[Length];
        Open().ReadExactly(bytes);
        return bytes;
    }

    private static string DigestOf(GeneratedStream content, string algorithm)
    {
        using (content)
        {
            var hash = CryptographicOperations.HashData(PlainClient.NameOf(algorithm), content);
            return $"{algorithm}:{Convert.ToHexStringLower(hash)}";
        }
    }

    /// <summary>One random block, again and again, with its number in front: no two blocks are alike.</summary>
    private sealed class GeneratedStream : Stream
    {
        private readonly byte[] _block = new byte[BlockBytes];
        private readonly long _end;
        private long _position;

        public GeneratedStream(int seed, long start, long length)
        {
            new Random(seed).NextBytes(_block);
            _position = start;
            _end = start + length;
            Number();
        }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            var offset = (int)(_position % BlockBytes);
            var count = (int)Math.Min(Math.Min(buffer.Length, BlockBytes - offset), _end - _position);
            _block.AsSpan(offset, count).CopyTo(buffer);
            _position += count;
            if (_position % BlockBytes == 0)
                Number();
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            => ValueTask.FromResult(Read(buffer.Span));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
            => Task.FromResult(Read(buffer.AsSpan(offset, count)));

        public override void Flush()
        {
            // Nothing is buffered.
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private void Number() => BinaryPrimitives.WriteInt64LittleEndian(_block, _position / BlockBytes);
    }
}
