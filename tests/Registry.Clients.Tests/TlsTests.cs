using System.Globalization;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

/// <summary>Clients that check the server's own certificate, without a proxy.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    private readonly ClientWorkspace _work = new();
    private readonly TestAuthority _authority = new();
    private readonly int _port = LoopbackPort.Free();
    private ChildProcess? _server;

    private string Host => $"localhost:{_port.ToString(CultureInfo.InvariantCulture)}";

    private string Trusted => _work.Path("authority.crt");

    public async Task InitializeAsync()
    {
        using var certificate = _authority.Issue("localhost", "127.0.0.1");
        _work.Write("authority.crt", _authority.Pem);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["DOTNET_NOLOGO"] = "1",
            ["Registry__Data"] = _work.Folder("data"),
            ["Registry__Listen__0"] = $"https://{Host}",
            ["Registry__Access__Anonymous"] = "Push",
            ["Registry__Tls__Certificates__0__Path"] = _work.Write("server.crt", certificate.ExportCertificatePem()),
            ["Registry__Tls__Certificates__0__KeyPath"] = _work.Write("server.key", TestAuthority.KeyOf(certificate)),
        };
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } root)
            environment["DOTNET_ROOT"] = root;
        _server = ChildProcess.Start("dotnet", [RepositoryRoot.ServerAssembly], environment);

        using var handler = new SocketsHttpHandler { UseProxy = false };
        _authority.Trust(handler.SslOptions);
        using var http = new HttpClient(handler);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await IsReadyAsync(http, patience.Token))
            await Task.Delay(50, patience.Token);
    }

    public async Task DisposeAsync()
    {
        await _server!.StopAsync(TimeSpan.FromSeconds(20));
        await _server.DisposeAsync();
        _authority.Dispose();
        _work.Dispose();
    }

    [ClientFact("curl")]
    public async Task Curl_trusts_the_authority_and_nobody_without_it()
    {
        var version = await _work.RunAsync(
            "curl", "--silent", "--fail", "--cacert", Trusted, "--output", _work.Path("body"),
            "--write-out", "%{http_version} %{http_code}", $"https://{Host}/v2/");
        Assert.Matches("^(2|1.1) 200$", version);

        var untrusted = await _work.TryRunAsync("curl", "--silent", "--show-error", $"https://{Host}/v2/");
        Assert.Equal(60, untrusted.ExitCode); // the peer's certificate cannot be authenticated
    }

    [ClientFact("oras")]
    public async Task Oras_pushes_and_pulls_over_TLS()
    {
        _work.Write("a.txt", "over TLS");
        // Of localhost it supposes that there is no TLS, unless it is told.
        string[] secure = ["--plain-http=false", "--ca-file", Trusted];
        await _work.RunAsync("oras", ["push", .. secure, $"{Host}/oras/tls:v1", "a.txt:text/plain"]);
        await _work.RunAsync("oras", ["pull", .. secure, $"{Host}/oras/tls:v1", "-o", _work.Folder("pulled")]);
        Assert.Equal("over TLS", await File.ReadAllTextAsync(_work.Path("pulled/a.txt")));

        var untrusted = await _work.TryRunAsync("oras", "repo", "tags", "--plain-http=false", $"{Host}/oras/tls");
        Assert.NotEqual(0, untrusted.ExitCode);
        Assert.Contains("certificate", untrusted.Error, StringComparison.Ordinal);
    }

    private async Task<bool> IsReadyAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri($"https://{Host}/healthz/ready"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException) when (!_server!.HasExited)
        {
            return false; // not listening yet
        }
    }
}
