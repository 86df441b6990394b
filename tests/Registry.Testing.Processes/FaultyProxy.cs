using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Registry.Testing.Processes;

/// <summary>How the way to a server fails.</summary>
public enum Fault
{
    None,

    /// <summary>Nobody listens.</summary>
    Refused,

    /// <summary>Connections are taken and broken at once.</summary>
    Reset,

    /// <summary>Connections are taken, and nothing is ever answered.</summary>
    Silent,

    /// <summary>Every request is answered with S3's 503 SlowDown.</summary>
    SlowDown,

    /// <summary>The connection breaks in the middle of what the server sends.</summary>
    CutDown,

    /// <summary>The connection breaks in the middle of what the client sends.</summary>
    CutUp,
}

/// <summary>Stands in front of a server and fails in the way it is told, until it is told otherwise.</summary>
public sealed class FaultyProxy : IAsyncDisposable
{
    // More than any request's or answer's head, less than any body that a test cuts.
    private const int BytesBeforeCut = 64 * 1024;

    private const string SlowDownBody
        = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";

    private readonly Uri _target;
    private readonly int _port;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private readonly HashSet<TcpClient> _connections = [];
    private readonly List<Task> _tasks = [];
    private TcpListener? _listener;
    private Fault _fault;
    private int _left;

    public FaultyProxy(Uri target)
    {
        _target = target;
        _port = LoopbackPort.Free();
        Listen();
    }

    public Uri Address => new($"http://127.0.0.1:{_port}/");

    /// <summary>From now on, connections fail so; those that are open break.</summary>
    /// <param name="times">How many connections; from then on they are well again.</param>
    public void Fail(Fault fault, int times = int.MaxValue)
    {
        lock (_lock)
        {
            (_fault, _left) = (fault, times);
            foreach (var connection in _connections)
                connection.Close();
            _connections.Clear();
        }

        if (fault == Fault.Refused)
        {
            _listener?.Stop();
            _listener = null;
        }
        else if (_listener is null)
        {
            Listen();
        }
    }

    public void Heal() => Fail(Fault.None);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        Fail(Fault.Refused);
        await Task.WhenAll(_tasks.ToArray());
        _end.Dispose();
    }

    private void Listen()
    {
        _listener = new(IPAddress.Loopback, _port);
        _listener.Start();
        _tasks.Add(AcceptAsync(_listener));
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(_end.Token);
                lock (_lock)
                    _tasks.Add(ServeAsync(client, TakeFault()));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Nobody listens any more.
        }
    }

    private Fault TakeFault() => _fault is Fault.None || _left-- <= 0 ? Fault.None : _fault;

    private async Task ServeAsync(TcpClient client, Fault fault)
    {
        using var server = new TcpClient();
        client.LingerState = new(enable: true, seconds: 0); // its end is a cut, not a goodbye
        Keep(client);
        try
        {
            switch (fault)
            {
                case Fault.Reset:
                    break;
                case Fault.Silent:
                    await SinkAsync(client.GetStream());
                    break;
                case Fault.SlowDown:
                    await AnswerAsync(client.GetStream());
                    break;
                default:
                    await server.ConnectAsync(_target.Host, _target.Port, _end.Token);
                    Keep(server);
                    var up = CopyAsync(client.GetStream(), server.GetStream(), fault is Fault.CutUp);
                    var down = CopyAsync(server.GetStream(), client.GetStream(), fault is Fault.CutDown);
                    await Task.WhenAny(up, down);
                    break;
            }
        }
        catch (Exception e) when (
            e is OperationCanceledException or IOException or SocketException or ObjectDisposedException
                or InvalidOperationException)
        {
            // Either side left, or the fault has changed.
        }
        finally
        {
            Drop(client);
            Drop(server);
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool cut)
    {
        var buffer = new byte[16 * 1024];
        var passed = 0;
        int read;
        while ((read = await from.ReadAsync(buffer, _end.Token)) > 0)
        {
            passed += read;
            if (cut && passed > BytesBeforeCut)
                return;
            await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }
    }

    private async Task SinkAsync(NetworkStream client)
    {
        var buffer = new byte[16 * 1024];
        while (await client.ReadAsync(buffer, _end.Token) > 0)
        {
            // It may send what it likes.
        }
    }

    private async Task AnswerAsync(NetworkStream client)
    {
        var buffer = new byte[16 * 1024];
        if (await client.ReadAsync(buffer, _end.Token) == 0)
            return;
        await client.WriteAsync(
            Encoding.ASCII.GetBytes(
                "HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"
                + $"Content-Length: {SlowDownBody.Length}\r\n\r\n{SlowDownBody}"),
            _end.Token);
        // The answer comes through only if what the client is still sending is taken.
        await SinkAsync(client);
    }

    private void Keep(TcpClient connection)
    {
        lock (_lock)
            _connections.Add(connection);
    }

    private void Drop(TcpClient connection)
    {
        lock (_lock)
            _connections.Remove(connection);
        connection.Close();
    }
}
