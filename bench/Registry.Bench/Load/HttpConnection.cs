using System.Buffers.Text;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Registry.Bench.Load;

/// <summary>
/// One connection of HTTP/1.1, two system calls a request: client and server share the machine, so what the client does
/// not spend is the server's. Answers are read to their end and thrown away.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private const int BufferBytes = 256 * 1024;

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly byte[] _head = new byte[16 * 1024];
    private int _start;
    private int _end;
    private readonly double? _bytesPerSecond;
    private int _headLength;
    private long _bodyBytes;

    /// <param name="bytesPerSecond">
    /// How fast bodies are read, as by a client in a network; null: as fast as they come.
    /// </param>
    public HttpConnection(Uri server, double? bytesPerSecond = null)
    {
        _bytesPerSecond = bytesPerSecond;
        // What the system takes on behalf of a slow reader is not read slowly.
        if (bytesPerSecond is not null)
            _socket.ReceiveBufferSize = BufferBytes;
        _socket.ReceiveTimeout = 120_000;
        _socket.SendTimeout = 120_000;
        _socket.Connect(server.Host, server.Port);
    }

    /// <summary>When the first byte of the last answer's body was there, by <see cref="Stopwatch"/>; 0: none was.</summary>
    public long FirstByteAt { get; private set; }

    /// <summary>Sends a request and reads its answer.</summary>
    /// <param name="head">Request line and headers, with the empty line at their end.</param>
    /// <param name="expected">Any other status ends the run: the figure would be of something else.</param>
    /// <returns>The length of the body in bytes.</returns>
    public long Send(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, int expected)
    {
        SendPart(head);
        SendPart(body);
        return ReceiveAnswer(head, expected);
    }

    /// <inheritdoc cref="Send(ReadOnlySpan{byte}, ReadOnlySpan{byte}, int)"/>
    public long Send(ReadOnlySpan<byte> request, int expected) => Send(request, [], expected);

    /// <summary>The value of a header of the last answer; null when it had none.</summary>
    public string? Header(ReadOnlySpan<byte> name)
    {
        var rest = _head.AsSpan(0, _headLength);
        while (rest.IndexOf("\r\n"u8) is var end && end > 0)
        {
            var line = rest[..end];
            if (line.Length > name.Length && line[name.Length] == ':' && Ascii.EqualsIgnoreCase(line[..name.Length], name))
                return Encoding.ASCII.GetString(line[(name.Length + 1)..]).Trim();
            rest = rest[(end + 2)..];
        }

        return null;
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Sends a part of a request; <see cref="ReceiveAnswer"/> follows the last one.</summary>
    public void SendPart(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[_socket.Send(bytes[..Math.Min(bytes.Length, BufferBytes)])..];
    }

    /// <summary>Reads the answer to a request with this head.</summary>
    public long ReceiveAnswer(ReadOnlySpan<byte> head, int expected)
    {
        var status = ReceiveStatus();
        long length = 0;
        if (!head.StartsWith("HEAD "u8) && status is not (204 or 304))
        {
            length = Header("Content-Length"u8) is { } announced ? Skip(long.Parse(announced))
                : Header("Transfer-Encoding"u8) is not null ? SkipChunks()
                : 0;
        }

        Expect(expected, status, head);
        return length;
    }

    /// <summary>Reads the head of the answer to a request with this head, and nothing of its body.</summary>
    public void ReceiveHead(ReadOnlySpan<byte> head, int expected) => Expect(expected, ReceiveStatus(), head);

    private static void Expect(int expected, int status, ReadOnlySpan<byte> head)
    {
        if (status != expected)
        {
            throw new InvalidOperationException(
                $"'{FirstLine(head)}' was answered with {status}, not {expected}.");
        }
    }

    private int ReceiveStatus()
    {
        (FirstByteAt, _bodyBytes) = (0, 0);
        ReadHead();
        _ = Utf8Parser.TryParse(_head.AsSpan(9, 3), out int status, out _);
        return status;
    }

    private void ReadHead()
    {
        int found;
        while ((found = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8)) < 0)
            Fill();
        _headLength = found + 4;
        _buffer.AsSpan(_start, _headLength).CopyTo(_head);
        _start += _headLength;
    }

    private long Skip(long length)
    {
        var left = length;
        while (left > 0)
        {
            if (_start == _end)
                Fill();
            if (FirstByteAt == 0)
                FirstByteAt = Stopwatch.GetTimestamp();
            var taken = (int)Math.Min(left, _end - _start);
            _start += taken;
            left -= taken;
            _bodyBytes += taken;
            if (_bytesPerSecond is { } rate)
                Wait(TimeSpan.FromSeconds(_bodyBytes / rate) - Stopwatch.GetElapsedTime(FirstByteAt));
        }

        return length;
    }

    private static void Wait(TimeSpan ahead)
    {
        if (ahead > TimeSpan.FromMilliseconds(1))
            Thread.Sleep(ahead);
    }

    private long SkipChunks()
    {
        long total = 0;
        while (true)
        {
            int end;
            while ((end = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0)
                Fill();
            _ = Utf8Parser.TryParse(_buffer.AsSpan(_start, end), out long size, out _, 'x');
            _start += end + 2;
            Skip(size + 2);
            if (size == 0)
                return total;
            total += size;
        }
    }

    private void Fill()
    {
        if (_start == _end)
            _start = _end = 0;
        if (_end == _buffer.Length)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        var read = _socket.Receive(_buffer.AsSpan(_end));
        if (read == 0)
            throw new IOException("The server closed the connection.");
        _end += read;
    }

    private static string FirstLine(ReadOnlySpan<byte> request)
        => Encoding.ASCII.GetString(request[..Math.Max(0, request.IndexOf((byte)'\r'))]);
}
