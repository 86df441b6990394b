using System.Buffers;
using System.Threading.Tasks.Sources;
using Microsoft.Win32.SafeHandles;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Infrastructure.FileSystem;

namespace Registry.Infrastructure.Stores;

/// <summary>
/// The bytes of one blob in a file that grows while others read it: one writer, any number of readers. Nobody gets the
/// last byte before the digest is known to fit.
/// </summary>
/// <remarks>
/// Whatever the length, it holds two pieces of memory while bytes are appended, and an open file for all readers; each
/// of them adds its own piece and its place in the queue, nothing else.
/// </remarks>
internal sealed class Spool : IDisposable
{
    private const int PieceBytes = 256 * 1024;

    // Less is written and hashed sooner than another thread could begin.
    private const int SmallBytes = 32 * 1024;

    private readonly SafeFileHandle _writing;
    private readonly SafeFileHandle _reading;
    private readonly Digest _digest;
    private readonly bool _durable;
    private readonly StoreFaults _faults;
    private readonly RunningHash _hash;

    private readonly Lock _lock = new();
    private readonly LinkedList<Follower> _waiting = [];
    private long _arrived;
    private bool _verified;
    private Exception? _failure;
    private int _holders = 1;
    private bool _disposed;

    /// <param name="writing">The file, empty.</param>
    /// <param name="reading">
    /// The same file for the readers; this handle is closed when the spool is disposed and the last of them has gone.
    /// </param>
    /// <param name="durable">Whether the file will be flushed: then the disk begins with it early.</param>
    public Spool(
        SafeFileHandle writing, SafeFileHandle reading, Digest digest, long size, bool durable, StoreFaults faults)
    {
        (_writing, _reading, _digest, Size, _durable, _faults) = (writing, reading, digest, size, durable, faults);
        _hash = new(digest.Algorithm);
        if (size == 0)
            Verify();
    }

    /// <summary>In bytes.</summary>
    public long Size { get; }

    public long Arrived => Interlocked.Read(ref _arrived);

    /// <summary>Whether the bytes, which must all be there, have the digest.</summary>
    /// <exception cref="StorageException">They could not be written.</exception>
    public bool Fits
    {
        get
        {
            lock (_lock)
            {
                ThrowIfUnwritable();
                return Arrived == Size
                    ? _verified
                    : throw new InvalidOperationException($"{Arrived} of {Size} bytes have arrived.");
            }
        }
    }

    /// <inheritdoc cref="IArrivingBlob.AppendAsync"/>
    public async Task<bool> AppendAsync(Stream content, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            ThrowIfUnwritable();
        }

        if (Arrived == Size)
            return true;
        await TakeAsync(content, cancellationToken);
        if (Arrived < Size)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }

        Verify();
        return true;
    }

    public IBlobContent OpenRead() => new SpoolContent(Hold(), _faults);

    /// <summary>The bytes as a stream, which ends with an error when they do not all come, or at the token.</summary>
    public Stream OpenStream(CancellationToken cancellationToken) => new SpoolStream(Hold(), cancellationToken);

    /// <summary>For what <see cref="OpenRead"/> and <see cref="OpenStream"/> give, to wait for bytes.</summary>
    public Follower Follow(CancellationToken cancellationToken) => new(this, cancellationToken);

    /// <summary>Reads bytes that are there.</summary>
    /// <returns>0 where the file has been cut, since its bytes did not get to the disk.</returns>
    public int Read(Span<byte> piece, long offset) => RandomAccess.Read(_reading, piece, offset);

    /// <summary>The counterpart of opening.</summary>
    public void Release()
    {
        lock (_lock)
        {
            if (--_holders == 0)
                _reading.Dispose();
        }
    }

    /// <summary>Readers of bytes that were verified go on; others end with an error.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            if (!_verified)
                Fail(new ObjectDisposedException(nameof(Spool)));
        }

        _hash.Dispose();
        Release();
    }

    private Spool Hold()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _holders++;
            return this;
        }
    }

    // Two buffers: one fills from the network while the other is written and hashed. What came is passed on before
    // anything is waited for, however little it is.
    private async Task TakeAsync(Stream content, CancellationToken cancellationToken)
    {
        var pool = ArrayPool<byte>.Shared;
        var buffer = pool.Rent(PieceBytes);
        byte[]? other = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (reading, taking) = (Task.FromResult(0), Task.CompletedTask);
        var (start, end) = (0, 0); // what has been read into the buffer, and is not being taken yet
        try
        {
            try
            {
                for (var left = Size - Arrived; left > 0;)
                {
                    var room = buffer.AsMemory(end, (int)Math.Min(PieceBytes - end, left));
                    var read = content.ReadAsync(room, stop.Token);
                    int count;
                    if (read.IsCompleted)
                    {
                        count = await read;
                    }
                    else
                    {
                        reading = read.AsTask();
                        if (end > start)
                        {
                            await taking;
                            taking = BeginTakeAsync(buffer.AsMemory(start, end - start));
                            start = end;
                        }

                        count = await reading;
                    }

                    if (count == 0)
                        break;
                    (end, left) = (end + count, left - count);
                    if (end < PieceBytes)
                        continue;
                    await taking;
                    taking = BeginTakeAsync(buffer.AsMemory(start, end - start));
                    (buffer, other) = (other ?? pool.Rent(PieceBytes), buffer);
                    (start, end) = (0, 0);
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                // The content broke off; what it gave counts.
            }

            await taking;
            Take(buffer.AsSpan(start, end - start));
        }
        finally
        {
            // Both use buffers that must not go back before.
            if (!reading.IsCompleted)
                await stop.CancelAsync();
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await taking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pool.Return(buffer);
            if (other is not null)
                pool.Return(other);
        }
    }

    private Task BeginTakeAsync(ReadOnlyMemory<byte> piece)
    {
        if (piece.Length > SmallBytes)
            return Task.Run(() => Take(piece.Span));
        Take(piece.Span);
        return Task.CompletedTask;
    }

    private void Take(ReadOnlySpan<byte> piece)
    {
        if (piece.IsEmpty)
            return;
        var offset = Arrived;
        try
        {
            RandomAccess.Write(_writing, piece, offset);
            Advance(offset + piece.Length); // readers wait neither for the hash nor for the disk
            _hash.Append(piece);
            if (_durable)
                WriteOutWindows.Follow(_writing, offset, piece.Length);
        }
        catch (Exception cause) when (StoreFaults.Covers(cause))
        {
            var failure = _faults.Of(cause);
            lock (_lock)
                Fail(failure);
            throw failure;
        }
    }

    private void Advance(long arrived)
    {
        lock (_lock)
        {
            Interlocked.Exchange(ref _arrived, arrived);
            Wake();
        }
    }

    private void Verify()
    {
        var fits = _hash.ToDigest() == _digest;
        lock (_lock)
        {
            _verified = fits;
            if (fits)
                Wake();
            else
                Fail(new InvalidDataException($"What arrived as {_digest} does not have that digest."));
        }
    }

    // The lock is held.
    private void Fail(Exception failure)
    {
        _failure ??= failure;
        Wake();
    }

    // The lock is held. Who was woken goes on by a thread of its own.
    private void Wake()
    {
        for (var node = _waiting.First; node is not null;)
        {
            var next = node.Next;
            if (_failure is not null || node.Value.Offset < Readable)
            {
                _waiting.Remove(node);
                if (_failure is not null)
                    node.Value.Fail(Missing());
                else
                    node.Value.Succeed(Readable);
            }

            node = next;
        }
    }

    private long Readable => _verified ? Size : Math.Min(_arrived, Size - 1);

    private IOException Missing() => new($"The blob {_digest} has not arrived.", _failure);

    private void ThrowIfUnwritable()
    {
        if (_failure is StorageException failure)
            throw new StorageException(failure.Error, failure);
    }

    /// <summary>One reader's place in the queue for more bytes, used again for every wait.</summary>
    internal sealed class Follower : IValueTaskSource<long>, IDisposable
    {
        private readonly Spool _spool;
        private readonly CancellationToken _cancellationToken;
        private readonly CancellationTokenRegistration _cancellation;
        private readonly LinkedListNode<Follower> _node;
        private ManualResetValueTaskSourceCore<long> _wait = new() { RunContinuationsAsynchronously = true };

        public Follower(Spool spool, CancellationToken cancellationToken)
        {
            (_spool, _cancellationToken, _node) = (spool, cancellationToken, new(this));
            _cancellation = cancellationToken.UnsafeRegister(static self => ((Follower)self!).Cancel(), this);
        }

        public long Offset { get; private set; }

        /// <summary>Waits, one wait at a time, until there is something to read at an offset.</summary>
        /// <returns>Where what can be read ends.</returns>
        /// <exception cref="IOException">The byte there will not come.</exception>
        public ValueTask<long> WaitAsync(long offset)
        {
            lock (_spool._lock)
            {
                _cancellationToken.ThrowIfCancellationRequested();
                if (_spool._failure is not null)
                    throw _spool.Missing();
                if (offset < _spool.Readable)
                    return new(_spool.Readable);
                Offset = offset;
                _wait.Reset();
                _spool._waiting.AddLast(_node);
                return new(this, _wait.Version);
            }
        }

        public void Succeed(long readable) => _wait.SetResult(readable);

        public void Fail(Exception failure) => _wait.SetException(failure);

        public void Dispose() => _cancellation.Dispose();

        long IValueTaskSource<long>.GetResult(short token) => _wait.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<long>.GetStatus(short token) => _wait.GetStatus(token);

        void IValueTaskSource<long>.OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
            => _wait.OnCompleted(continuation, state, token, flags);

        private void Cancel()
        {
            lock (_spool._lock)
            {
                if (_node.List is null)
                    return;
                _spool._waiting.Remove(_node);
                Fail(new OperationCanceledException(_cancellationToken));
            }
        }
    }
}
