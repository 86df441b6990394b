using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Registry.Testing.Processes;

/// <summary>How a <see cref="FaultyLink"/> behaves, to connections that are open as to new ones.</summary>
public enum LinkState
{
    /// <summary>As if it were not there.</summary>
    Good,

    /// <summary>Everything is cut, and nobody listens.</summary>
    Refusing,

    /// <summary>Connections stay and come about, and nothing gets through them any more.</summary>
    Silent,

    /// <summary>Each connection is reset in the middle of the next answer.</summary>
    Cutting,
}

/// <summary>Stands between the registry and a service that it needs, and can be made to fail as networks do.</summary>
public sealed class FaultyLink : IAsyncDisposable
{
    // Of an answer that is cut: less than any that means something.
    private const int BytesLetThrough = 3;

    private readonly IPEndPoint _target;
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly ConcurrentBag<Task> _tasks = [];
    private TcpListener _listener = new(IPAddress.Loopback, 0);
    private volatile LinkState _state;

    public FaultyLink(string host, int port)
    {
        _target = new(IPAddress.Parse(host), port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _tasks.Add(AcceptAsync(_listener));
    }

    /// <summary>Of 127.0.0.1, which takes the place of the service.</summary>
    public int Port { get; }

    public void Become(LinkState state)
    {
        var before = _state;
        if (before == LinkState.Silent)
            CutAll(); // what was lost on the way does not come any more
        _state = state;
        if (state == LinkState.Refusing)
        {
            _listener.Stop();
            CutAll();
        }
        else if (before == LinkState.Refusing)
        {
            _listener = new(IPAddress.Loopback, Port);
            _listener.Start();
            _tasks.Add(AcceptAsync(_listener));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        CutAll();
        await Task.WhenAll(_tasks);
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
                _tasks.Add(ForwardAsync(await listener.AcceptSocketAsync(_end.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Nobody listens any more.
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        using var server = new Socket(_target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _open[client] = true;
        try
        {
            await server.ConnectAsync(_target, _end.Token);
            await Task.WhenAny(
                CopyAsync(client, server, client, isAnswer: false), CopyAsync(server, client, client, isAnswer: true));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The service is not there, or the test is over.
        }
        finally
        {
            Cut(client);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, Socket client, bool isAnswer)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, _end.Token)) > 0)
            {
                while (_state == LinkState.Silent)
                    await Task.Delay(20, _end.Token);
                if (!_open.ContainsKey(client))
                    return; // cut meanwhile: what was held back never arrives
                var cut = isAnswer && _state == LinkState.Cutting;
                await to.SendAsync(buffer.AsMemory(0, cut ? Math.Min(read, BytesLetThrough) : read), _end.Token);
                if (cut)
                    return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Either side left.
        }
    }

    private void CutAll()
    {
        foreach (var socket in _open.Keys)
            Cut(socket);
    }

    // With a reset, as a host that has forgotten the connection answers.
    private void Cut(Socket socket)
    {
        if (_open.TryRemove(socket, out _))
            socket.Close(timeout: 0);
    }
}
