using System.Threading.Channels;

namespace Registry.Infrastructure.Tests.Stores;

/// <summary>What an upstream sends, step by step, as a test says. It never ends by itself.</summary>
internal sealed class StepStream : Stream
{
    private readonly Channel<ReadOnlyMemory<byte>> _steps = Channel.CreateUnbounded<ReadOnlyMemory<byte>>();
    private ReadOnlyMemory<byte> _step;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public void Send(ReadOnlyMemory<byte> bytes) => Assert.True(_steps.Writer.TryWrite(bytes));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_step.IsEmpty)
            _step = await _steps.Reader.ReadAsync(cancellationToken);
        var count = Math.Min(buffer.Length, _step.Length);
        _step[..count].CopyTo(buffer);
        _step = _step[count..];
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
