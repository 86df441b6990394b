using System.Net;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.Proxies;

/// <summary>
/// Where names lead (S-17), with a hosts file that only the server sees: each connection goes to an address that was
/// judged, whoever the name belonged to before.
/// </summary>
public sealed class UpstreamNamesTests : IClassFixture<UpstreamNamesTests.Instance>
{
    public sealed class Instance : IAsyncLifetime
    {
        // The hosts file is the server's own until it ends; exec keeps the id of the process.
        private const string WithHosts = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";

        private readonly WorkFolder _folder = new("upstream-names");
        private RegistryProcess? _registry;

        public RegistryClient Client { get; private set; } = null!;

        public ScriptedUpstream Upstream { get; private set; } = null!;

        /// <summary>At the upstream's port of another address.</summary>
        public ScriptedUpstream Stranger { get; private set; } = null!;

        public string Log => _registry!.Log;

        public async Task InitializeAsync()
        {
            Upstream = await ScriptedUpstream.StartAsync();
            Stranger = await ScriptedUpstream.StartAsync(listen: new(IPAddress.Parse("127.0.0.2"), Upstream.Address.Port));
            if (HostsFactAttribute.ReasonToSkip is not null)
                return;
            Resolve();
            var data = _folder.Folder("data");
            var settings = RegistryFactory.Backends(data).ToDictionary(setting => setting.Key, setting => setting.Value!);
            foreach (var (registry, host, network) in new[]
            {
                ("closed", "hub.example", "10.0.0.0/8"), ("open", "hub.example", "127.0.0.1/32"), ("both", "both.example", "127.0.0.1/32"),
            })
            {
                var key = $"Registry:Registries:{registry}";
                (settings[$"{key}:Kind"], settings[$"{key}:Path"]) = ("Proxy", registry);
                settings[$"{key}:Upstream"] = $"http://{host}:{Upstream.Address.Port}";
                settings[$"{key}:AllowedNetworks:0"] = network;
                settings[$"{key}:Namespaces:0"] = $"{registry}.example";
                settings[$"{key}:TokenHosts:0"] = $"tokens.example:{Upstream.Address.Port}";
                settings[$"{key}:TagTtl"] = "00:00:00";
            }

            _registry = await RegistryProcess.StartAsync(
                data, settings: settings, tracer: ["unshare", "--mount", "sh", "-c", WithHosts, _folder.File("hosts")]);
            Client = new(_registry.Address);
            // So that the next request needs a connection of its own.
            Upstream.Gate = context =>
            {
                context.Response.Headers.Connection = "close";
                return Task.FromResult(false);
            };
        }

        /// <summary>Where the server finds the upstream from now on.</summary>
        public void Resolve(string address = "127.0.0.1")
            => File.WriteAllLines(
                _folder.File("hosts"),
                [
                    "127.0.0.1 localhost", $"{address} hub.example", "127.0.0.2 cdn.example tokens.example",
                    "127.0.0.2 both.example", "127.0.0.1 both.example",
                ]);

        public async Task DisposeAsync()
        {
            Client?.Dispose();
            if (_registry is not null)
                await _registry.DisposeAsync();
            await Upstream.DisposeAsync();
            await Stranger.DisposeAsync();
            _folder.Dispose();
        }
    }

    private readonly string _name = $"team/x{Guid.NewGuid():N}";
    private readonly Instance _instance;
    private readonly RegistryClient _client;
    private readonly ScriptedUpstream _upstream;
    private readonly ScriptedUpstream _stranger;

    public UpstreamNamesTests(Instance instance)
    {
        (_instance, _client, _upstream, _stranger) = (instance, instance.Client, instance.Upstream, instance.Stranger);
        if (HostsFactAttribute.ReasonToSkip is null)
            instance.Resolve();
    }

    private int Port => _upstream.Address.Port;

    [HostsFact(DisplayName = "S-17 A name that leads into a network that is not allowed is not connected to, and the log says where it leads")]
    public async Task Refused()
    {
        _upstream.ServeImage(_name, "v1");

        await ExpectRefusalAsync("closed", "manifests/v1", "hub.example is 127.0.0.1");
        Assert.DoesNotContain(_upstream.Requests, request => request.Path.Contains(_name, StringComparison.Ordinal));
        Assert.Contains("Registry 'closed' lives on what it has", _instance.Log, StringComparison.Ordinal);
        (await _client.GetAsync($"/v2/open/{_name}/manifests/v1")).Expect(200);
    }

    [HostsFact(DisplayName = "S-17 Of a name with several addresses only those that are allowed are connected to")]
    public async Task Several()
    {
        var image = _upstream.ServeImage(_name, "v1");
        _stranger.ServeImage(_name, "v1");

        (await _client.GetAsync($"/v2/both/{_name}/manifests/v1")).Expect(200)
            .ExpectHeader("Docker-Content-Digest", image.Manifest.Digest);
        foreach (var blob in new[] { image.Config, image.Layer })
            (await _client.GetAsync($"/v2/both/{_name}/blobs/{blob.Digest}")).Expect(200);
        Assert.Empty(_stranger.Requests);
    }

    [HostsFact(DisplayName = "S-17 A name that leads elsewhere since it was judged is judged anew, and goes on when it is back")]
    public async Task Rebound()
    {
        var image = _upstream.ServeImage(_name, "v1");
        _stranger.ServeImage(_name, "v1");
        (await _client.GetAsync($"/v2/open/{_name}/manifests/v1")).Expect(200);

        _instance.Resolve("127.0.0.2");
        await ExpectRefusalAsync("open", $"blobs/{image.Layer.Digest}", "hub.example is 127.0.0.2");
        (await _client.GetAsync($"/v2/open/{_name}/manifests/v1")).Expect(200); // as it was
        Assert.Empty(_stranger.Requests);

        _instance.Resolve();
        (await _client.GetAsync($"/v2/open/{_name}/blobs/{image.Config.Digest}")).Expect(200);
    }

    [HostsFact(DisplayName = "S-17 Names of redirect targets and token servers are judged in the same way")]
    public async Task Elsewhere()
    {
        var image = _stranger.ServeImage(_name, "v1");
        _stranger.ServeTokens();
        _upstream.Route(
            ScriptedUpstream.BlobPath(_name, image.Layer),
            ScriptedUpstream.Redirect($"http://cdn.example:{Port}{ScriptedUpstream.BlobPath(_name, image.Layer)}"));
        _upstream.Route(
            ScriptedUpstream.BlobPath(_name, image.Config),
            ScriptedUpstream.Challenge($"Bearer realm=\"http://tokens.example:{Port}/token\",service=\"x\""));

        await ExpectRefusalAsync("open", $"blobs/{image.Layer.Digest}", "cdn.example is 127.0.0.2");
        await ExpectRefusalAsync("open", $"blobs/{image.Config.Digest}"); // it fails already
        Assert.Empty(_stranger.Requests);
    }

    private async Task ExpectRefusalAsync(string registry, string path, string? logged = null)
    {
        var refusal = (await _client.GetAsync($"/v2/{registry}/{_name}/{path}")).ExpectError(502, "UNAVAILABLE");
        Assert.Contains("leads outside AllowedNetworks", refusal.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.", refusal.Text, StringComparison.Ordinal);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (logged is not null && !_instance.Log.Contains($"leads outside AllowedNetworks ({logged})", StringComparison.Ordinal))
            await Task.Delay(10, patience.Token); // a line is read a moment after it was written
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class HostsFactAttribute : FactAttribute
    {
        public HostsFactAttribute() => Skip = ReasonToSkip;

        public static string? ReasonToSkip
            => Programs.ReasonToSkip("unshare")
                ?? (Environment.IsPrivilegedProcess ? null : "only root can give the server a hosts file of its own");
    }
}
