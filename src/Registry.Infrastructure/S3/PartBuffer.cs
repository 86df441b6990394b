using System.Collections.Concurrent;

namespace Registry.Infrastructure.S3;

/// <summary>The pieces of memory that uploads of a store fill, used again; up to 64 MiB rest between uploads.</summary>
internal sealed class PiecePool
{
    public const int PieceBytes = 256 * 1024;

    private const int Resting = 256;

    private readonly ConcurrentBag<byte[]> _pieces = [];

    public byte[] Rent()
        => _pieces.TryTake(out var piece) ? piece : GC.AllocateUninitializedArray<byte>(PieceBytes);

    public void Return(byte[] piece)
    {
        if (_pieces.Count < Resting)
            _pieces.Add(piece);
    }
}

/// <summary>
/// Bytes on their way to become a part or a small object: as much memory as there are bytes. Can be sent again.
/// </summary>
internal sealed class PartBuffer(PiecePool pool) : IPart
{
    private readonly List<ArraySegment<byte>> _pieces = [];

    /// <summary>In bytes.</summary>
    public int Length { get; private set; }

    public IReadOnlyList<ArraySegment<byte>> Pieces => _pieces;

    /// <summary>Takes over a rented piece, of which the first <paramref name="count"/> bytes count.</summary>
    public void Add(byte[] piece, int count)
    {
        _pieces.Add(new(piece, 0, count));
        Length += count;
    }

    public Stream OpenRead() => new PieceStream(_pieces, Length);

    public void Dispose()
    {
        foreach (var piece in _pieces)
            pool.Return(piece.Array!);
        _pieces.Clear();
        Length = 0;
    }

    private sealed class PieceStream(IReadOnlyList<ArraySegment<byte>> pieces, long length) : PartStream(length)
    {
        private int _piece;
        private int _offset;
        private long _position;

        public override long Position
        {
            get => _position;
            set
            {
                (_piece, _offset, _position) = (0, 0, value);
                for (var left = value; left > 0 && _piece < pieces.Count; _piece++)
                {
                    if (left < pieces[_piece].Count)
                    {
                        _offset = (int)left;
                        break;
                    }

                    left -= pieces[_piece].Count;
                }
            }
        }

        public override int Read(Span<byte> buffer)
        {
            while (_piece < pieces.Count && _offset == pieces[_piece].Count)
                (_piece, _offset) = (_piece + 1, 0);
            if (_piece == pieces.Count)
                return 0;
            var part = pieces[_piece].AsSpan(_offset);
            var count = Math.Min(part.Length, buffer.Length);
            part[..count].CopyTo(buffer);
            _offset += count;
            _position += count;
            return count;
        }
    }
}
