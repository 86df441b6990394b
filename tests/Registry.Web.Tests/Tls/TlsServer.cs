using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Registry.Testing.Processes;
using Registry.Web.Tests.Commands;

namespace Registry.Web.Tests.Tls;

/// <summary>The server with a listener of TLS beside a plain one, and what clients see of it.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private readonly int _port;
    private readonly TestAuthority _authority;

    private TlsServer(ServerProcess process, int port, TestAuthority authority)
        => (Process, _port, _authority) = (process, port, authority);

    public ServerProcess Process { get; }

    /// <param name="settings">Keys below <c>Registry:</c>.</param>
    public static async Task<TlsServer> StartAsync(
        WorkFolder folder, TestAuthority authority, params (string Key, string Value)[] settings)
    {
        var (plain, secure) = (LoopbackPort.Free(), LoopbackPort.Free());
        var environment = Environment(settings);
        environment["Registry__Listen__0"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{plain}");
        environment["Registry__Listen__1"] = string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{secure}");
        var process = await ServerProcess.StartAsync(folder, ServerProcess.At(plain), environment);
        return new(process, secure, authority);
    }

    public static Dictionary<string, string> Environment(params (string Key, string Value)[] settings)
        => settings.ToDictionary(
            setting => $"Registry__{setting.Key.Replace(":", "__", StringComparison.Ordinal)}", setting => setting.Value,
            StringComparer.Ordinal);

    /// <summary>A client that calls the server by a name, and trusts the test's authority alone.</summary>
    public RegistryClient Client(string host, Version? version = null, Action? connecting = null)
        => new(
            new Uri($"https://{host}:{_port}/"),
            handler =>
            {
                _authority.Trust(handler.SslOptions);
                handler.ConnectCallback = async (_, cancellationToken) =>
                {
                    connecting?.Invoke();
                    return await ConnectAsync(cancellationToken);
                };
            },
            version);

    /// <summary>The certificate that a client is shown who asks for that name; an empty one asks for none.</summary>
    public async Task<string> ShownAsync(string host)
    {
        await using var tls = await HandshakeAsync(host);
        return tls.RemoteCertificate!.GetCertHashString();
    }

    /// <summary>A connection of whatever certificate.</summary>
    public async Task<SslStream> HandshakeAsync(
        string host, SslProtocols protocols = SslProtocols.None, params SslApplicationProtocol[] offered)
    {
        var tls = new SslStream(await ConnectAsync(CancellationToken.None));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = protocols,
            ApplicationProtocols = [.. offered],
            CertificateChainPolicy = new() { VerificationFlags = X509VerificationFlags.AllFlags },
        });
        return tls;
    }

    /// <summary>Connects until a client is shown that certificate.</summary>
    public async Task WaitUntilShownAsync(X509Certificate2 certificate, string host = "")
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while (await ShownAsync(host) != certificate.Thumbprint)
            await Task.Delay(100, patience.Token);
    }

    /// <summary>Connects until the log says that.</summary>
    public async Task WaitUntilLoggedAsync(string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while (!Process.Output.Contains(text, StringComparison.Ordinal))
        {
            await ShownAsync("");
            await Task.Delay(100, patience.Token);
        }
    }

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private async ValueTask<NetworkStream> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync("127.0.0.1", _port, cancellationToken);
            return new(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
