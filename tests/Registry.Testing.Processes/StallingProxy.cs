using System.Net;
using System.Net.Sockets;

namespace Registry.Testing.Processes;

/// <summary>
/// Stands between a client and the registry and lets only so many bytes of the client through. So a push can be cut in
/// its middle every time, without guessing how long it takes.
/// </summary>
public sealed class StallingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> _tasks = [];
    private readonly Uri _target;
    private readonly Task _accepting;
    private long _budget;

    public StallingProxy(Uri target, long bytesLetThrough)
    {
        _target = target;
        _budget = bytesLetThrough;
        _listener.Start();
        Host = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _accepting = AcceptAsync();
    }

    public string Host { get; }

    /// <summary>Ends when the client's bytes have been used up: from then on nothing of it gets through.</summary>
    public Task Stalled => _stalled.Task;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_tasks);
        _end.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _tasks.Add(ForwardAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using var _ = client;
        using var server = new TcpClient();
        try
        {
            await server.ConnectAsync(_target.Host, _target.Port, _end.Token);
            var forth = UpwardAsync(client.GetStream(), server.GetStream());
            var back = server.GetStream().CopyToAsync(client.GetStream(), _end.Token);
            await Task.WhenAny(forth, back);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // Either side left.
        }
    }

    private async Task UpwardAsync(NetworkStream client, NetworkStream server)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await client.ReadAsync(buffer, _end.Token)) > 0)
        {
            if (Interlocked.Add(ref _budget, -read) < 0)
            {
                _stalled.TrySetResult();
                // The connection stays open, as a network that lost its packets leaves it, until the client is gone.
                while (await client.ReadAsync(buffer, _end.Token) > 0 && !_end.IsCancellationRequested)
                    await Task.Delay(50, _end.Token);
                return;
            }

            await server.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }

        server.Socket.Shutdown(SocketShutdown.Send);
    }
}
