using Registry.Web.Tests.Access;

namespace Registry.Web.Tests.Proxies;

/// <summary>A client of a mirror is sent for a token that is about the mirror, though the name is the upstream's.</summary>
public sealed class NamespaceTokenTests : IAsyncLifetime
{
    private static readonly (string, string) Alice = Credentials.Basic("alice", "wonderland");

    private readonly TemporaryFolder _folder = new();
    private ScriptedUpstream _upstream = null!;
    private RegistryFactory _registry = null!;

    public async Task InitializeAsync()
    {
        var users = _folder.Combine("users");
        await File.WriteAllTextAsync(users, Htpasswd.Line("alice", "wonderland"));
        _upstream = await ScriptedUpstream.StartAsync();
        _registry = await RegistryFactory.StartAsync(
            ("Access:Anonymous", "None"), ("Access:Htpasswd:Path", users),
            ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"), ("Registries:hub:Upstream", _upstream.Url),
            ("Registries:hub:Namespaces:0", "docker.io"),
            ("Access:Rules:0:Subject", "user:alice"), ("Access:Rules:0:Registry", "hub"),
            ("Access:Rules:0:Repositories:0", "**"), ("Access:Rules:0:Actions:0", "pull"));
    }

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact(DisplayName = "The realm carries ns, and the token that is got there opens the mirror and nothing else")]
    public async Task Realm()
    {
        var image = _upstream.ServeImage("library/busybox", "v1");
        const string Path = "/v2/library/busybox/manifests/v1";
        var challenge = (await _registry.Client.GetAsync($"{Path}?ns=docker.io")).Expect(401).Header("WWW-Authenticate")!;
        Assert.Contains($"realm=\"{_registry.Address}token?ns=docker.io\"", challenge, StringComparison.Ordinal);
        Assert.Contains("scope=\"repository:library/busybox:pull\"", challenge, StringComparison.Ordinal);
        Assert.Empty(_upstream.Requests);

        var token = await TokenAsync("?ns=docker.io&");
        (await _registry.Client.GetAsync($"{Path}?ns=docker.io", token)).Expect(200)
            .ExpectHeader("Docker-Content-Digest", image.Manifest.Digest).ExpectHeader("OCI-Namespace", "docker.io");
        (await _registry.Client.GetAsync(Path, token)).Expect(401);

        var other = await TokenAsync("?");
        (await _registry.Client.GetAsync($"{Path}?ns=docker.io", other)).Expect(401);
        var unknown = (await _registry.Client.GetAsync($"{Path}?ns=a\"b.example")).Expect(401).Header("WWW-Authenticate")!;
        Assert.DoesNotContain("ns=", unknown, StringComparison.Ordinal);
    }

    private async Task<(string, string)> TokenAsync(string query)
        => Credentials.Bearer((await _registry.Client.GetAsync(
            $"/token{query}service={_registry.Address.Authority}&scope=repository:library/busybox:pull", Alice)).Expect(200)
            .Json.GetProperty("token").GetString()!);
}
