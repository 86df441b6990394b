using System.Security.Cryptography.X509Certificates;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.Proxies;

/// <summary>
/// An upstream by TLS: the authorities of the server's machine count, and nothing is said where they do not, or where
/// there is no TLS any more (S-4).
/// </summary>
public sealed class UpstreamTlsTests : IAsyncLifetime
{
    private const string Name = "team/app";
    private const string Password = "upstream-secret";

    private readonly WorkFolder _folder = new("upstream-tls");
    private readonly TestAuthority _known = new();
    private readonly TestAuthority _unknown = new();
    private readonly List<IDisposable> _certificates = [];
    private ScriptedUpstream _good = null!;
    private ScriptedUpstream _foreign = null!;
    private ScriptedUpstream _misnamed = null!;
    private ScriptedUpstream _expired = null!;
    private ScriptedUpstream _plain = null!;
    private RegistryProcess _registry = null!;
    private RegistryClient _client = null!;

    public async Task InitializeAsync()
    {
        _good = await StartAsync(_known.Issue("127.0.0.1"));
        _foreign = await StartAsync(_unknown.Issue("127.0.0.1"));
        _misnamed = await StartAsync(_known.Issue("hub.example"));
        _expired = await StartAsync(_known.Issue(DateTimeOffset.UtcNow.AddDays(-1), "127.0.0.1"));
        _plain = await ScriptedUpstream.StartAsync();
        await File.WriteAllTextAsync(_folder.File("authorities.pem"), _known.Pem);
        var data = _folder.Folder("data");
        var settings = RegistryFactory.Backends(data).ToDictionary(setting => setting.Key, setting => setting.Value!);
        settings["SSL_CERT_FILE"] = _folder.File("authorities.pem");
        foreach (var (registry, upstream) in new[]
        {
            ("good", _good), ("foreign", _foreign), ("misnamed", _misnamed), ("expired", _expired),
        })
        {
            var key = $"Registry:Registries:{registry}";
            (settings[$"{key}:Kind"], settings[$"{key}:Path"], settings[$"{key}:Upstream"]) = ("Proxy", registry, upstream.Url);
            (settings[$"{key}:Username"], settings[$"{key}:Password"]) = ("puller", Password);
            settings[$"{key}:AllowedNetworks:0"] = "127.0.0.0/8";
            settings[$"{key}:TokenHosts:0"] = _plain.Address.Authority;
        }

        _registry = await RegistryProcess.StartAsync(data, settings: settings);
        _client = new(_registry.Address);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _registry.DisposeAsync();
        foreach (var upstream in new[] { _good, _foreign, _misnamed, _expired, _plain })
            await upstream.DisposeAsync();
        _certificates.ForEach(certificate => certificate.Dispose());
        _known.Dispose();
        _unknown.Dispose();
        _folder.Dispose();
    }

    [Fact(DisplayName = "What an authority of the machine has signed is trusted, and shown the credentials")]
    public async Task Trusted()
    {
        var image = _good.ServeImage(Name, "v1");
        _good.RequireToken("puller", Password);

        (await _client.GetAsync($"/v2/good/{Name}/manifests/v1")).Expect(200)
            .ExpectHeader("Docker-Content-Digest", image.Manifest.Digest);
        Assert.Equal(
            image.Layer.Bytes, (await _client.GetAsync($"/v2/good/{Name}/blobs/{image.Layer.Digest}")).Expect(200).Body);
        Assert.Equal(
            ScriptedUpstream.BasicOf("puller", Password),
            Assert.Single(_good.Requests, request => request.Path == "/token").Authorization);
    }

    [Theory(DisplayName = "Any other certificate is a 502 that says why, so does the log, and the upstream is asked nothing")]
    [InlineData("foreign", "NotSignatureValid|PartialChain|UntrustedRoot")]
    [InlineData("misnamed", "RemoteCertificateNameMismatch")]
    [InlineData("expired", "NotTimeValid")]
    public async Task Untrusted(string registry, string reason)
    {
        var upstream = registry switch
        {
            "foreign" => _foreign,
            "misnamed" => _misnamed,
            _ => _expired,
        };
        var image = upstream.ServeImage(Name, "v1");

        foreach (var path in new[] { "manifests/v1", $"manifests/{image.Manifest.Digest}", $"blobs/{image.Layer.Digest}" })
        {
            var refusal = (await _client.GetAsync($"/v2/{registry}/{Name}/{path}")).ExpectError(502, "UNAVAILABLE");
            Assert.Matches($"shows a certificate that is not trusted \\(({reason})\\)", refusal.Text);
        }

        Assert.Empty(upstream.Requests);
        Assert.Contains($"Registry '{registry}' lives on what it has", _registry.Log, StringComparison.Ordinal);
        Assert.Contains("shows a certificate that is not trusted", _registry.Log, StringComparison.Ordinal);
    }

    [Theory(DisplayName = "From TLS to a place without it no redirect is followed, and no token is got there")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Downgrade(bool realm)
    {
        var image = _plain.ServeImage(Name, "v1");
        _plain.ServeTokens();
        _good.Gate = async context =>
        {
            await (realm
                ? ScriptedUpstream.Challenge($"Bearer realm=\"{_plain.Url}/token\",service=\"x\"")
                : ScriptedUpstream.Redirect(_plain.Url + context.Request.Path))(context);
            return true;
        };

        foreach (var path in new[] { "manifests/v1", $"blobs/{image.Layer.Digest}" })
        {
            var refusal = (await _client.GetAsync($"/v2/good/{Name}/{path}")).ExpectError(502, "UNAVAILABLE");
            Assert.Contains("without TLS", refusal.Text, StringComparison.Ordinal);
            Assert.Contains(_plain.Address.Authority, refusal.Text, StringComparison.Ordinal);
        }

        Assert.Empty(_plain.Requests);
        Assert.NotEmpty(_good.Requests);
    }

    [Fact(DisplayName = "A redirect to where the certificate is not trusted is a 502 that names the place")]
    public async Task Redirected()
    {
        var image = _foreign.ServeImage(Name, "v1");
        _good.Route(
            ScriptedUpstream.BlobPath(Name, image.Layer), ScriptedUpstream.Redirect(_foreign.Url + ScriptedUpstream.BlobPath(Name, image.Layer)));

        var refusal = (await _client.GetAsync($"/v2/good/{Name}/blobs/{image.Layer.Digest}")).ExpectError(502, "UNAVAILABLE");
        Assert.Contains($"sends to {_foreign.Address.Authority}, which shows a certificate that is not trusted", refusal.Text, StringComparison.Ordinal);
        Assert.Empty(_foreign.Requests);
    }

    private Task<ScriptedUpstream> StartAsync(X509Certificate2 certificate)
    {
        _certificates.Add(certificate);
        return ScriptedUpstream.StartAsync(certificate);
    }
}
