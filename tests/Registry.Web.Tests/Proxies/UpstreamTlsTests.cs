using Registry.Testing.Processes;

namespace Registry.Web.Tests.Proxies;

/// <summary>
/// An upstream by TLS: the authorities of the server's machine count and those of the proxy itself, and nothing is said
/// where they do not, or where there is no TLS any more (S-4).
/// </summary>
public sealed class UpstreamTlsTests(UpstreamTlsTests.Instance instance) : IClassFixture<UpstreamTlsTests.Instance>
{
    public sealed class Instance : IAsyncLifetime
    {
        private readonly WorkFolder _folder = new("upstream-tls");
        private readonly TestAuthority _known = new();
        private readonly TestAuthority _unknown = new();
        private readonly List<IDisposable> _certificates = [];
        private readonly Dictionary<string, ScriptedUpstream> _upstreams = new(StringComparer.Ordinal);
        private RegistryProcess? _registry;

        public RegistryClient Client { get; private set; } = null!;

        /// <summary>The authorities that some of the proxies trust for themselves.</summary>
        public string Own => _folder.File("own.pem");

        /// <summary>Without TLS, and among the hosts that tokens may come from.</summary>
        public ScriptedUpstream Plain { get; private set; } = null!;

        /// <summary>Where certificates say that their issuers' are.</summary>
        public ScriptedUpstream Issuers { get; private set; } = null!;

        public string Log => _registry!.Log;

        public ScriptedUpstream this[string registry] => _upstreams[registry];

        public async Task InitializeAsync()
        {
            Plain = await ScriptedUpstream.StartAsync();
            Issuers = await ScriptedUpstream.StartAsync();
            await File.WriteAllTextAsync(_folder.File("authorities.pem"), _known.Pem);
            await File.WriteAllTextAsync(Own, _unknown.Pem);
            using var third = new TestAuthority("Another one");
            var data = _folder.Folder("data");
            var settings = RegistryFactory.Backends(data).ToDictionary(setting => setting.Key, setting => setting.Value!);
            settings["SSL_CERT_FILE"] = _folder.File("authorities.pem");
            foreach (var (registry, certificate) in new[]
            {
                ("good", _known.Issue("127.0.0.1")), ("foreign", _unknown.Issue("127.0.0.1")), ("misnamed", _known.Issue("hub.example")),
                ("expired", _known.Issue(DateTimeOffset.UtcNow.AddDays(-1), "127.0.0.1")),
                ("own", _unknown.Issue("127.0.0.1")), ("own-known", _known.Issue("127.0.0.1")),
                ("led", third.IssueWithLink(new(Issuers.Address, "issuer.crt"), "127.0.0.1")),
                ("own-led", third.IssueWithLink(new(Issuers.Address, "issuer.crt"), "127.0.0.1")),
                ("own-misnamed", _unknown.Issue("hub.example")),
                ("own-expired", _unknown.Issue(DateTimeOffset.UtcNow.AddDays(-1), "127.0.0.1")),
            })
            {
                _certificates.Add(certificate);
                _upstreams[registry] = await ScriptedUpstream.StartAsync(certificate);
                var key = $"Registry:Registries:{registry}";
                (settings[$"{key}:Kind"], settings[$"{key}:Path"]) = ("Proxy", registry);
                settings[$"{key}:Upstream"] = _upstreams[registry].Url;
                (settings[$"{key}:Username"], settings[$"{key}:Password"]) = ("puller", Password);
                settings[$"{key}:AllowedNetworks:0"] = "127.0.0.0/8";
                settings[$"{key}:TokenHosts:0"] = Plain.Address.Authority;
                if (registry.StartsWith("own", StringComparison.Ordinal))
                    settings[$"{key}:CaFile"] = Own;
            }

            _registry = await RegistryProcess.StartAsync(data, settings: settings);
            Client = new(_registry.Address);
        }

        public async Task DisposeAsync()
        {
            Client?.Dispose();
            if (_registry is not null)
                await _registry.DisposeAsync();
            foreach (var upstream in _upstreams.Values.Append(Plain).Append(Issuers))
                await upstream.DisposeAsync();
            _certificates.ForEach(certificate => certificate.Dispose());
            _known.Dispose();
            _unknown.Dispose();
            _folder.Dispose();
        }
    }

    private const string Password = "upstream-secret";

    private readonly string _name = $"team/x{Guid.NewGuid():N}";
    private readonly RegistryClient _client = instance.Client;
    private readonly ScriptedUpstream _good = instance["good"];
    private readonly ScriptedUpstream _plain = instance.Plain;

    [Fact(DisplayName = "What an authority of the machine has signed is trusted, and shown the credentials")]
    public async Task Trusted()
    {
        var image = _good.ServeImage(_name, "v1");
        _good.RequireToken("puller", Password);

        (await _client.GetAsync($"/v2/good/{_name}/manifests/v1")).Expect(200)
            .ExpectHeader("Docker-Content-Digest", image.Manifest.Digest);
        Assert.Equal(
            image.Layer.Bytes, (await _client.GetAsync($"/v2/good/{_name}/blobs/{image.Layer.Digest}")).Expect(200).Body);
        Assert.Equal(
            ScriptedUpstream.BasicOf("puller", Password),
            Assert.Single(_good.Requests, request => request.Path == "/token").Authorization);
    }

    [Theory(DisplayName = "One of a proxy's own authorities is trusted by that proxy, and the machine's are, too")]
    [InlineData("own")]
    [InlineData("own-known")]
    public async Task Own(string registry)
    {
        var image = instance[registry].ServeImage(_name, "v1");
        instance[registry].RequireToken("puller", Password);

        (await _client.GetAsync($"/v2/{registry}/{_name}/manifests/v1")).Expect(200)
            .ExpectHeader("Docker-Content-Digest", image.Manifest.Digest);
    }

    [Theory(DisplayName = "Any other certificate is a 502 that says why, so does the log, and the upstream is asked nothing")]
    [InlineData("foreign", "NotSignatureValid|PartialChain|UntrustedRoot")]
    [InlineData("misnamed", "RemoteCertificateNameMismatch")]
    [InlineData("expired", "NotTimeValid")]
    [InlineData("own-misnamed", "RemoteCertificateNameMismatch")]
    [InlineData("own-expired", "NotTimeValid")]
    public async Task Untrusted(string registry, string reason)
    {
        var upstream = instance[registry];
        var image = upstream.ServeImage(_name, "v1");

        foreach (var path in new[] { "manifests/v1", $"manifests/{image.Manifest.Digest}", $"blobs/{image.Layer.Digest}" })
        {
            var refusal = (await _client.GetAsync($"/v2/{registry}/{_name}/{path}")).ExpectError(502, "UNAVAILABLE");
            Assert.Matches($"shows a certificate that is not trusted \\(({reason})\\)", refusal.Text);
        }

        Assert.Empty(upstream.Requests);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!instance.Log.Contains($"Registry '{registry}' lives on what it has", StringComparison.Ordinal))
            await Task.Delay(10, patience.Token); // a line is read a moment after it was written
        Assert.Contains("shows a certificate that is not trusted", instance.Log, StringComparison.Ordinal);
    }

    [Theory(DisplayName = "S-17 Nothing is fetched from where a certificate says that its issuer is")]
    [InlineData("led")]
    [InlineData("own-led")]
    public async Task Linked(string registry)
    {
        var before = instance.Issuers.Requests.Count; // who shows it has looked, too, when it started
        (await _client.GetAsync($"/v2/{registry}/{_name}/manifests/v1")).ExpectError(502, "UNAVAILABLE");
        Assert.Equal(before, instance.Issuers.Requests.Count);
    }

    [Theory(DisplayName = "From TLS to a place without it no redirect is followed, and no token is got there")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Downgrade(bool realm)
    {
        var image = _plain.ServeImage(_name, "v1");
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
            var refusal = (await _client.GetAsync($"/v2/good/{_name}/{path}")).ExpectError(502, "UNAVAILABLE");
            Assert.Contains("without TLS", refusal.Text, StringComparison.Ordinal);
            Assert.Contains(_plain.Address.Authority, refusal.Text, StringComparison.Ordinal);
        }

        Assert.Empty(_plain.Requests);
        Assert.NotEmpty(_good.Requests);
    }

    [Fact(DisplayName = "A redirect to where the certificate is not trusted is a 502 that names the place")]
    public async Task Redirected()
    {
        var foreign = instance["foreign"];
        var image = foreign.ServeImage(_name, "v1");
        _good.Gate = _ => Task.FromResult(false);
        _good.Route(
            ScriptedUpstream.BlobPath(_name, image.Layer), ScriptedUpstream.Redirect(foreign.Url + ScriptedUpstream.BlobPath(_name, image.Layer)));

        var refusal = (await _client.GetAsync($"/v2/good/{_name}/blobs/{image.Layer.Digest}")).ExpectError(502, "UNAVAILABLE");
        Assert.Contains($"sends to {foreign.Address.Authority}, which shows a certificate that is not trusted", refusal.Text, StringComparison.Ordinal);
        Assert.Empty(foreign.Requests);
    }
}
