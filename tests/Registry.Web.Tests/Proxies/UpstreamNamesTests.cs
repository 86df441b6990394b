using System.Net;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.Proxies;

/// <summary>
/// Where names lead (S-17), with a hosts file that only the server sees: each connection goes to an address that was
/// judged, whoever the name belonged to before.
/// </summary>
public sealed class UpstreamNamesTests : IAsyncLifetime
{
    private const string Name = "team/app";

    // The hosts file is the server's own until it ends; exec keeps the id of the process.
    private const string WithHosts = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";

    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.2");

    private readonly WorkFolder _folder = new("upstream-names");
    private ScriptedUpstream _upstream = null!;
    private ScriptedUpstream _stranger = null!;
    private RegistryProcess? _registry;
    private RegistryClient? _client;

    private int Port => _upstream.Address.Port;

    public async Task InitializeAsync()
    {
        _upstream = await ScriptedUpstream.StartAsync();
        _stranger = await ScriptedUpstream.StartAsync(listen: new(Second, Port));
        if (HostsFactAttribute.ReasonToSkip is not null)
            return;
        Resolve("127.0.0.1 hub.example", "127.0.0.2 cdn.example tokens.example", "127.0.0.2 both.example", "127.0.0.1 both.example");
        var data = _folder.Folder("data");
        var settings = RegistryFactory.Backends(data).ToDictionary(setting => setting.Key, setting => setting.Value!);
        foreach (var (registry, host, network) in new[]
        {
            ("closed", "hub.example", "10.0.0.0/8"), ("open", "hub.example", "127.0.0.1/32"), ("both", "both.example", "127.0.0.1/32"),
        })
        {
            var key = $"Registry:Registries:{registry}";
            (settings[$"{key}:Kind"], settings[$"{key}:Path"], settings[$"{key}:Upstream"]) = ("Proxy", registry, $"http://{host}:{Port}");
            settings[$"{key}:AllowedNetworks:0"] = network;
            settings[$"{key}:Namespaces:0"] = $"{registry}.example";
            settings[$"{key}:TokenHosts:0"] = $"tokens.example:{Port}";
            settings[$"{key}:TagTtl"] = "00:00:00";
        }

        _registry = await RegistryProcess.StartAsync(
            data, settings: settings, tracer: ["unshare", "--mount", "sh", "-c", WithHosts, _folder.File("hosts")]);
        _client = new(_registry.Address);
    }

    public async Task DisposeAsync()
    {
        _client?.Dispose();
        if (_registry is not null)
            await _registry.DisposeAsync();
        await _upstream.DisposeAsync();
        await _stranger.DisposeAsync();
        _folder.Dispose();
    }

    [HostsFact(DisplayName = "S-17 A name that leads into a network that is not allowed is not connected to, and the answer says where it leads")]
    public async Task Refused()
    {
        _upstream.ServeImage(Name, "v1");

        await ExpectRefusalAsync("closed", "manifests/v1", "hub.example is 127.0.0.1");
        Assert.Empty(_upstream.Requests);
        Assert.Contains("Registry 'closed' lives on what it has", _registry!.Log, StringComparison.Ordinal);
        (await _client!.GetAsync($"/v2/open/{Name}/manifests/v1")).Expect(200);
    }

    [HostsFact(DisplayName = "S-17 Of a name with several addresses only those that are allowed are connected to")]
    public async Task Several()
    {
        var image = _upstream.ServeImage(Name, "v1");
        _upstream.Gate = HangUpAfterwards;
        _stranger.ServeImage(Name, "v1");

        (await _client!.GetAsync($"/v2/both/{Name}/manifests/v1")).Expect(200)
            .ExpectHeader("Docker-Content-Digest", image.Manifest.Digest);
        foreach (var blob in new[] { image.Config, image.Layer })
            (await _client.GetAsync($"/v2/both/{Name}/blobs/{blob.Digest}")).Expect(200);
        Assert.Empty(_stranger.Requests);
    }

    [HostsFact(DisplayName = "S-17 A name that leads elsewhere since it was judged is judged anew, and goes on when it is back")]
    public async Task Rebound()
    {
        var image = _upstream.ServeImage(Name, "v1");
        _upstream.Gate = HangUpAfterwards;
        _stranger.ServeImage(Name, "v1");
        (await _client!.GetAsync($"/v2/open/{Name}/manifests/v1")).Expect(200);

        Resolve("127.0.0.2 hub.example");
        await ExpectRefusalAsync("open", $"blobs/{image.Layer.Digest}", "hub.example is 127.0.0.2");
        (await _client.GetAsync($"/v2/open/{Name}/manifests/v1")).Expect(200); // as it was
        Assert.Empty(_stranger.Requests);

        Resolve("127.0.0.1 hub.example");
        (await _client.GetAsync($"/v2/open/{Name}/blobs/{image.Config.Digest}")).Expect(200);
    }

    [HostsFact(DisplayName = "S-17 Names of redirect targets and token servers are judged in the same way")]
    public async Task Elsewhere()
    {
        var image = _stranger.ServeImage(Name, "v1");
        _stranger.ServeTokens();
        _upstream.Route(
            ScriptedUpstream.BlobPath(Name, image.Layer),
            ScriptedUpstream.Redirect($"http://cdn.example:{Port}{ScriptedUpstream.BlobPath(Name, image.Layer)}"));
        _upstream.Route(
            ScriptedUpstream.BlobPath(Name, image.Config),
            ScriptedUpstream.Challenge($"Bearer realm=\"http://tokens.example:{Port}/token\",service=\"x\""));

        await ExpectRefusalAsync("open", $"blobs/{image.Layer.Digest}", "cdn.example is 127.0.0.2");
        await ExpectRefusalAsync("open", $"blobs/{image.Config.Digest}", "tokens.example is 127.0.0.2");
        Assert.Empty(_stranger.Requests);
    }

    private void Resolve(params string[] lines)
        => File.WriteAllLines(_folder.File("hosts"), ["127.0.0.1 localhost", .. lines]);

    private async Task ExpectRefusalAsync(string registry, string path, string said)
    {
        var refusal = (await _client!.GetAsync($"/v2/{registry}/{Name}/{path}")).ExpectError(502, "UNAVAILABLE");
        Assert.Contains($"leads outside AllowedNetworks: {said}", refusal.Text, StringComparison.Ordinal);
    }

    // So that the next request needs a connection of its own.
    private static Task<bool> HangUpAfterwards(Microsoft.AspNetCore.Http.HttpContext context)
    {
        context.Response.Headers.Connection = "close";
        return Task.FromResult(false);
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
