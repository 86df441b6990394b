using System.Net.Sockets;
using System.Text;
using Registry.Testing.Processes;
using Registry.Web.Tests.Commands;
using Registry.Web.Tests.Tls;

namespace Registry.Web.Tests.Limits;

/// <summary>What the server takes from a connection, as docs/limits.md has it. S-18, S-19</summary>
[Trait(Backend.Trait, Backend.Neither)]
public sealed class ServerLimitsTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WorkFolder _folder = new("limits");
    private ServerProcess? _server;

    private Uri Address => _server!.Client.Address;

    public async Task InitializeAsync() => _server = await StartAsync(
        ("Limits:HeaderTimeout", "00:00:01"), ("Limits:IdleTimeout", "00:00:01"));

    public async Task DisposeAsync()
    {
        await _server!.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(8_000, 200)]
    [InlineData(8_200, 414)]
    public async Task A_request_line_has_8_KiB(int length, int status)
        => Assert.Equal(
            status,
            (await RawHttp.SendAsync(Address, "GET", $"/healthz/live?{new string('x', length - 30)}"))!.Status);

    [Theory]
    [InlineData(90, 200)]
    [InlineData(101, 431)]
    public async Task A_request_has_100_lines_of_headers(int lines, int status)
        => Assert.Equal(
            status,
            (await RawHttp.SendAsync(
                Address, "GET", "/healthz/live", Enumerable.Range(0, lines).Select(i => $"X-{i}: y")))!.Status);

    [Theory]
    [InlineData(30_000, 200)]
    [InlineData(33_000, 431)]
    public async Task Headers_have_32_KiB_together(int bytes, int status)
        => Assert.Equal(
            status,
            (await RawHttp.SendAsync(
                Address, "GET", "/healthz/live",
                Enumerable.Range(0, 10).Select(i => $"X-{i}: {new string('y', (bytes / 10) - 10)}")))!.Status);

    [Fact]
    public async Task A_client_that_does_not_end_its_headers_is_cut_off()
    {
        var answer = await ReadToEndAsync("GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n");
        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_on_which_nothing_is_asked_is_closed()
    {
        var answer = await ReadToEndAsync("GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_connections_than_are_set_are_closed_and_room_is_made_when_one_ends()
    {
        using var folder = new WorkFolder("connections");
        await using var server = await StartAsync(folder, ("Limits:Connections", "3"));
        var open = new List<TcpClient>();
        try
        {
            // One may still be counted that asked whether the server is ready.
            while (open.Count < 3 && await ConnectAsync(server) is { } connection)
                open.Add(connection);
            Assert.InRange(open.Count, 2, 3);
            Assert.Null(await ConnectAsync(server));

            open[0].Dispose();
            using var patience = new CancellationTokenSource(Patience);
            TcpClient? next;
            while ((next = await ConnectAsync(server)) is null)
                await Task.Delay(50, patience.Token);
            open.Add(next);
        }
        finally
        {
            open.ForEach(connection => connection.Dispose());
        }
    }

    private Task<ServerProcess> StartAsync(params (string Key, string Value)[] settings) => StartAsync(_folder, settings);

    private static Task<ServerProcess> StartAsync(WorkFolder folder, params (string Key, string Value)[] settings)
    {
        var address = ServerProcess.At(LoopbackPort.Free());
        return ServerProcess.StartAsync(
            folder, address, TlsServer.Environment([("Listen:0", address.GetLeftPart(UriPartial.Authority)), .. settings]));
    }

    // A connection that answers; null when the server has closed it.
    private static async Task<TcpClient?> ConnectAsync(ServerProcess server)
    {
        var client = new TcpClient();
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            await client.ConnectAsync("127.0.0.1", server.Client.Address.Port, patience.Token);
            await client.GetStream().WriteAsync(
                "GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), patience.Token);
            if (await client.GetStream().ReadAsync(new byte[1], patience.Token) > 0)
                return client;
        }
        catch (IOException)
        {
            // Closed while it was written to.
        }

        client.Dispose();
        return null;
    }

    private async Task<string> ReadToEndAsync(string sent)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Address.Port, patience.Token);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(sent), patience.Token);
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync(patience.Token);
    }
}
