using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Registry.Web.Connections;

/// <summary>
/// The buffers of connections. The server receives as much with one call to the system as a buffer holds: the
/// framework's own have 4 KiB, which makes 130,000 calls of a blob of 512 MB.
/// </summary>
internal sealed class ConnectionMemory : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int BufferBytes = 64 * 1024;
    private const int MostFree = 512;

    private readonly ConcurrentBag<Buffer> _free = [];
    private int _count; // of the free ones: the bag would have to stop everybody to count them

    public override int MaxBufferSize => BufferBytes;

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BufferBytes);
        if (!_free.TryTake(out var buffer))
            return new Buffer(this);
        Interlocked.Decrement(ref _count);
        return buffer;
    }

    protected override void Dispose(bool disposing)
    {
        // It is there as long as the server: whoever made use of it may dispose of it, and the next one goes on.
    }

    private sealed class Buffer(ConnectionMemory pool) : IMemoryOwner<byte>
    {
        // Pinned for good: the system writes into it.
        public Memory<byte> Memory { get; }
            = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);

        public void Dispose()
        {
            if (Interlocked.Increment(ref pool._count) <= MostFree)
                pool._free.Add(this);
            else
                Interlocked.Decrement(ref pool._count);
        }
    }
}
