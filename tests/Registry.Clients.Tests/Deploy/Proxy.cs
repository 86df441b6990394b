using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Deploy;

/// <summary>A reverse proxy as deploy/ configures it, on loopback and in a temporary folder.</summary>
internal sealed class Proxy : IAsyncDisposable
{
    /// <summary>Who may pass a proxy that asks for a password.</summary>
    public const string User = "alice";

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);

    private readonly WorkFolder _folder = new("proxy");
    private readonly int _port = LoopbackPort.Free();
    private string? _password;
    private string? _thumbprint;
    private ChildProcess? _process;

    private Proxy(string scheme)
        => Address = new($"{scheme}://127.0.0.1:{_port.ToString(CultureInfo.InvariantCulture)}/");

    public Uri Address { get; }

    /// <summary>What clients put before the repository's name.</summary>
    public string Host => Address.Authority;

    /// <summary><c>user:password</c>; null when the proxy asks for none.</summary>
    public string? Credentials => _password is null ? null : $"{User}:{_password}";

    /// <summary>A client that trusts this proxy's certificate and no other, and has its password.</summary>
    public HttpClient NewClient()
    {
        var client = NewStranger();
        if (Credentials is { } credentials)
            client.DefaultRequestHeaders.Authorization
                = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        return client;
    }

    /// <summary>The same without a password.</summary>
    public HttpClient NewStranger() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        SslOptions = new()
        {
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == _thumbprint,
        },
    });

    /// <summary>deploy/nginx.conf, with TLS and a user.</summary>
    public static Task<Proxy> NginxAsync(params RegistryProcess[] nodes)
    {
        var proxy = new Proxy("https");
        proxy._password = Convert.ToHexString(RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(proxy.Users, $"{User}:{{PLAIN}}{proxy._password}\n");
        return proxy.StartNginxAsync(new ShippedFile("deploy/nginx.conf")
            .With("listen 443 ssl", $"listen {proxy.Host} ssl")
            .With("server 127.0.0.1:5000;", string.Concat(nodes.Select(node => $"server {node.Host};")))
            .With("/etc/ssl/registry.crt", proxy._folder.File("tls.crt"))
            .With("/etc/ssl/registry.key", proxy._folder.File("tls.key"))
            .With("/etc/nginx/registry.htpasswd", proxy.Users));
    }

    /// <summary>deploy/nginx.compose.conf, which has two nodes.</summary>
    public static Task<Proxy> NginxOfComposeAsync(string firstNode, string secondNode)
    {
        var proxy = new Proxy("http");
        // Without what asks a name server again: Debian's nginx is older than the image's, and here are numbers.
        return proxy.StartNginxAsync(new ShippedFile("deploy/nginx.compose.conf")
            .With("resolver 127.0.0.11 valid=5s;", "")
            .With("listen 5000", $"listen {proxy.Host}")
            .With("registry-1:5000 resolve;", $"{firstNode};")
            .With("registry-2:5000 resolve;", $"{secondNode};"));
    }

    /// <summary>deploy/Caddyfile, with a certificate that nobody else has to issue, and a user.</summary>
    public static async Task<Proxy> CaddyAsync(params RegistryProcess[] nodes)
    {
        var proxy = new Proxy("https");
        proxy.MakeCertificate();
        proxy._password = Convert.ToHexString(RandomNumberGenerator.GetBytes(8));
        await using (var hashing = ChildProcess.Start("caddy", ["hash-password", "--plaintext", proxy._password]))
        {
            var hash = (await hashing.WaitAsync(StartPatience)).OutputOrThrow();
            await File.WriteAllTextAsync(proxy.Users, $"{User} {hash}");
        }

        var site = new ShippedFile("deploy/Caddyfile")
            .With(
                "registry.example.com {",
                $"https://{proxy.Host} {{\n\ttls {proxy._folder.File("tls.crt")} {proxy._folder.File("tls.key")}")
            .With("127.0.0.1:5000", string.Join(' ', nodes.Select(node => node.Host)))
            .With("/etc/caddy/registry.users", proxy.Users);
        await File.WriteAllTextAsync(
            proxy._folder.File("Caddyfile"),
            $"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site.Text}");
        return await proxy.StartAsync(
            "caddy", "run", "--adapter", "caddyfile", "--config", proxy._folder.File("Caddyfile"));
    }

    /// <summary>The file that tells the proxy who may pass.</summary>
    public string Users => _folder.File("users");

    /// <summary>What the proxy wrote: shown when a test fails.</summary>
    public string Log
        => _process?.Error + _process?.Output
            + (File.Exists(_folder.File("error.log")) ? File.ReadAllText(_folder.File("error.log")) : "");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.StopAsync(TimeSpan.FromSeconds(10));
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }

    // Around the shipped file stands no more than nginx needs to run from a folder.
    private async Task<Proxy> StartNginxAsync(ShippedFile site)
    {
        MakeCertificate();
        new ShippedFile("deploy/nginx.proxy.conf").SaveAs(_folder.File("registry-proxy.conf"));
        site.With("/etc/nginx/registry-proxy.conf", _folder.File("registry-proxy.conf"))
            .SaveAs(_folder.File("registry.conf"));
        await File.WriteAllTextAsync(_folder.File("nginx.conf"), $$"""
            daemon off;
            pid {{_folder.File("nginx.pid")}};
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            events { worker_connections 768; }
            http {
                access_log off;
                client_body_temp_path {{_folder.File("body")}};
                proxy_temp_path {{_folder.File("proxy")}};
                fastcgi_temp_path {{_folder.File("fastcgi")}};
                uwsgi_temp_path {{_folder.File("uwsgi")}};
                scgi_temp_path {{_folder.File("scgi")}};
                include {{_folder.File("registry.conf")}};
            }
            """);
        return await StartAsync(
            "nginx", "-p", _folder.Path, "-e", _folder.File("error.log"), "-c", _folder.File("nginx.conf"));
    }

    private async Task<Proxy> StartAsync(string program, params string[] arguments)
    {
        _process = ChildProcess.Start(program, arguments, folder: _folder.Path);
        using var http = NewClient();
        using var deadline = new CancellationTokenSource(StartPatience);
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(Address, "/healthz/ready"), deadline.Token);
                if (answer.IsSuccessStatusCode)
                    return this;
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                // Not listening yet.
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                var said = Log;
                await DisposeAsync();
                throw new InvalidOperationException($"{program} did not start.\n{said}", e);
            }

            await Task.Delay(50);
        }
    }

    private void MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        var request = new CertificateRequest("CN=registry", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        using var certificate
            = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        _thumbprint = certificate.Thumbprint;
        File.WriteAllText(_folder.File("tls.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(_folder.File("tls.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
