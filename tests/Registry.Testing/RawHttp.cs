using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Registry.Testing;

/// <summary>Sends bytes over TCP that no HTTP library would, and reads what comes back.</summary>
public static class RawHttp
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>A request written out by hand; header lines without their line ends.</summary>
    /// <param name="target">As it stands in the request line.</param>
    public static Task<Answer?> SendAsync(
        Uri server, string method, string target, IEnumerable<string>? headers = null, byte[]? body = null,
        bool finish = false)
    {
        var text = new StringBuilder($"{method} {target} HTTP/1.1\r\nHost: {server.Authority}\r\n");
        foreach (var header in headers ?? [])
            text.Append(header).Append("\r\n");
        text.Append("\r\n");
        return SendAsync(server, [.. Encoding.Latin1.GetBytes(text.ToString()), .. body ?? []], $"{method} {target}",
            finish);
    }

    /// <param name="finish">Close the sending half behind the request, as a client that breaks off does.</param>
    /// <returns>The final response; null when the server closed the connection without one.</returns>
    /// <exception cref="TimeoutException">The server neither answered nor closed.</exception>
    public static async Task<Answer?> SendAsync(Uri server, byte[] request, string title, bool finish = false)
    {
        using var timeout = new CancellationTokenSource(Patience);
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(server.Host, server.Port, timeout.Token);
            var stream = tcp.GetStream();
            try
            {
                await stream.WriteAsync(request, timeout.Token);
                if (finish)
                    tcp.Client.Shutdown(SocketShutdown.Send);
            }
            catch (IOException)
            {
                // Refused before all was sent: what the server had to say may still be there to read.
            }

            return await ReadAsync(stream, title, timeout.Token);
        }
        catch (IOException)
        {
            return null;
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"No answer and no end within {Patience} to: {title}", e);
        }
    }

    private static async Task<Answer?> ReadAsync(Stream stream, string title, CancellationToken cancellationToken)
    {
        var reader = new ByteReader(stream);
        while (true)
        {
            if (await reader.LineAsync(cancellationToken) is not { } statusLine)
                return null;
            if (!statusLine.StartsWith("HTTP/1.", StringComparison.Ordinal))
                return new(title, 0, [], Encoding.Latin1.GetBytes(statusLine));

            var status = int.Parse(statusLine.AsSpan(9, 3));
            var headers = new List<KeyValuePair<string, string>>();
            while (await reader.LineAsync(cancellationToken) is { Length: > 0 } line)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                headers.Add(KeyValuePair.Create(line[..colon], line[(colon + 1)..].Trim()));
            }

            if (status is >= 100 and < 200)
                continue;

            var answer = new Answer(title, status, headers, []);
            if (status is not (204 or 304) && !title.StartsWith("HEAD ", StringComparison.Ordinal))
                return answer with { Body = await BodyAsync(answer, reader, cancellationToken) };

            // There must be none: on a connection that ends here, whatever follows is one all the same.
            var ends = string.Equals(answer.Header("Connection"), "close", StringComparison.OrdinalIgnoreCase);
            return answer with { Body = ends ? await reader.BytesAsync(int.MaxValue, cancellationToken) : [] };
        }
    }

    private static async Task<byte[]> BodyAsync(Answer answer, ByteReader reader, CancellationToken cancellationToken)
    {
        if (answer.Header("Content-Length") is { } length)
            return await reader.BytesAsync(int.Parse(length), cancellationToken);
        if (answer.Header("Transfer-Encoding") is null)
            return await reader.BytesAsync(int.MaxValue, cancellationToken);

        var body = new List<byte>();
        while (await reader.LineAsync(cancellationToken) is { Length: > 0 } size)
        {
            var count = int.Parse(size, NumberStyles.HexNumber);
            body.AddRange(await reader.BytesAsync(count, cancellationToken));
            await reader.LineAsync(cancellationToken);
            if (count == 0)
                break;
        }

        return [.. body];
    }

    private sealed class ByteReader(Stream stream)
    {
        private readonly byte[] _buffer = new byte[16 * 1024];
        private int _start;
        private int _end;

        /// <summary>A line without its end; null at the end of the stream.</summary>
        public async Task<string?> LineAsync(CancellationToken cancellationToken)
        {
            var line = new StringBuilder();
            while (await FillAsync(cancellationToken))
            {
                var c = (char)_buffer[_start++];
                if (c == '\n')
                    return line.ToString().TrimEnd('\r');
                line.Append(c);
            }

            return line.Length > 0 ? line.ToString() : null;
        }

        /// <summary>That many bytes, or what there is.</summary>
        public async Task<byte[]> BytesAsync(int count, CancellationToken cancellationToken)
        {
            var bytes = new List<byte>();
            while (bytes.Count < count && await FillAsync(cancellationToken))
            {
                var take = Math.Min(count - bytes.Count, _end - _start);
                bytes.AddRange(_buffer.AsSpan(_start, take));
                _start += take;
            }

            return [.. bytes];
        }

        private async Task<bool> FillAsync(CancellationToken cancellationToken)
        {
            if (_start < _end)
                return true;
            (_start, _end) = (0, await stream.ReadAsync(_buffer, cancellationToken));
            return _end > 0;
        }
    }
}
