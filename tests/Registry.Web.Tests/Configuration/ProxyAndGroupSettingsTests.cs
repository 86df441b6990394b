using Registry.Infrastructure;

namespace Registry.Web.Tests.Configuration;

/// <summary>Settings of proxies and groups that cannot be meant stop the start; no upstream is asked.</summary>
[Trait(Backend.Trait, Backend.Own)]
public sealed class ProxyAndGroupSettingsTests
{
    private static readonly (string Key, string? Value)[] Good =
    [
        ("hub:Kind", "Proxy"), ("hub:Path", "hub"), ("hub:Upstream", "https://registry.example.com"),
        ("all:Kind", "Group"), ("all:Path", "all"), ("all:Members:0", "default"), ("all:Members:1", "hub"),
        ("all:PushTo", "default"),
    ];

    [Theory]
    [InlineData("hub:Upstream", null, ":hub:Upstream is ''")]
    [InlineData("hub:Upstream", "registry.example.com", ":hub:Upstream is 'registry.example.com'")]
    [InlineData("hub:Upstream", "ftp://registry.example.com", ":hub:Upstream is 'ftp://registry.example.com'")]
    [InlineData("hub:Upstream", "https://registry.example.com/v2", ":hub:Upstream is 'https://registry.example.com/v2'")]
    [InlineData("hub:Upstream", "https://me@registry.example.com", ":hub:Upstream has a user or password in it")]
    [InlineData("hub:Username", "me", ":hub:Username is 'me', but there is no password")]
    [InlineData("hub:Password", "secret", ":hub:Username is empty, but there is a password")]
    [InlineData("hub:ImpliedPrefix", "Library", ":hub:ImpliedPrefix is 'Library'")]
    [InlineData("hub:TokenHosts:0", "https://auth.example.com", ":hub:TokenHosts has 'https://auth.example.com'")]
    [InlineData("hub:Namespaces:0", "https://docker.io", ":hub:Namespaces has 'https://docker.io'")]
    [InlineData("hub:Namespaces:0", "docker.io/library", ":hub:Namespaces has 'docker.io/library'")]
    [InlineData("hub:Namespaces:0", "docker.io/", ":hub:Namespaces has 'docker.io/'")]
    [InlineData("hub:Namespaces:0", "docker.io:https", ":hub:Namespaces has 'docker.io:https'")]
    [InlineData("hub:Namespaces:0", "me@docker.io", ":hub:Namespaces has 'me@docker.io'")]
    [InlineData("hub:Namespaces:0", "*.docker.io", ":hub:Namespaces has '*.docker.io'")]
    [InlineData("hub:Namespaces:0", "", ":hub:Namespaces has ''")]
    [InlineData("hub:AllowedNetworks:0", "intranet", ":hub:AllowedNetworks has 'intranet'")]
    [InlineData("hub:Include:0", "Library/*", ":hub:Include has 'Library/*'")]
    [InlineData("hub:Exclude:0", "", ":hub:Exclude has ''")]
    [InlineData("hub:TagTtl", "-00:00:01", ":hub:TagTtl is -00:00:01")]
    [InlineData("hub:NegativeTtl", "-00:00:01", ":hub:NegativeTtl is -00:00:01")]
    [InlineData("hub:Timeout", "00:00:00", ":hub:Timeout is 00:00:00")]
    [InlineData("hub:Timeout", "00:10:01", ":hub:Timeout is 00:10:01")]
    [InlineData("hub:MaxConnections", "0", ":hub:MaxConnections is 0")]
    [InlineData("hub:MaxConnections", "1001", ":hub:MaxConnections is 1001")]
    [InlineData("hub:Store", "cloud", ":hub:Store is 'cloud'")]
    [InlineData("hub:Hosts:0", "https://hub.example.com", ":hub:Hosts has 'https://hub.example.com'")]
    [InlineData("hub:Hosts:0", "*", ":hub:Hosts has '*'")]
    [InlineData("hub:CaFile", "/nowhere/ca.pem", ":hub:CaFile is '/nowhere/ca.pem', which cannot be used (there is no such file)")]
    [InlineData("hub:CaFile", "/etc/passwd", ":hub:CaFile is '/etc/passwd', which cannot be used (it has no certificate in PEM)")]
    [InlineData("hub:Kind", "Hosted", ":hub:Upstream is 'https://registry.example.com', but Kind is Hosted")]
    [InlineData("default:Members:0", "hub", ":default:Members is set, but Kind is Hosted")]
    [InlineData("all:Members:1", "hob", ":all:Members has 'hob'")]
    [InlineData("all:Members:2", "hub", ":all:Members has 'hub' more than once")]
    [InlineData("all:PushTo", "hub", ":all:PushTo is 'hub', which takes no pushes")]
    [InlineData("all:PushTo", "elsewhere", ":all:PushTo is 'elsewhere', which Registry:Registries:all:Members does not have")]
    [InlineData("all:Path", "hub/all", ":hub:Path 'hub' overlap")]
    [InlineData("all:Members:1", "all", "The groups all > all are members of each other")]
    public async Task A_setting_that_does_not_fit_is_named(string key, string? value, string message)
    {
        var refusal = await RefuseAsync([.. Good.Where(setting => setting.Key != key), (key, value)]);
        Assert.Contains(message, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_without_members_is_named()
        => Assert.Contains(
            "Registry:Registries:none:Members is empty",
            await RefuseAsync([("none:Kind", "Group"), ("none:Path", "none")]),
            StringComparison.Ordinal);

    [Fact]
    public async Task Groups_that_are_members_of_each_other_are_named_in_their_order()
        => Assert.Contains(
            "The groups a > b > c > a are members of each other",
            await RefuseAsync(
                [.. Groups(("a", "b"), ("b", "c"), ("c", "a"))]),
            StringComparison.Ordinal);

    [Fact]
    public async Task Two_proxies_of_one_upstream_do_not_answer_to_the_same_namespace()
    {
        (string, string?)[] second = [("twin:Kind", "Proxy"), ("twin:Path", "twin"), ("twin:Upstream", "https://registry.example.com")];
        var refusal = await RefuseAsync([.. Good, .. second]);
        Assert.Contains("Registry:Registries:hub and Registry:Registries:twin", refusal, StringComparison.Ordinal);
        Assert.Contains("ns=registry.example.com", refusal, StringComparison.Ordinal);

        await using var registry = await StartAsync([.. Good, .. second, ("twin:Namespaces:0", "twin.example.com")]);
    }

    [Theory]
    [InlineData("all", "Registry:Access:Rules:0:Registry is 'all', a group, which has no rights of its own")]
    [InlineData("hob", "Registry:Access:Rules:0:Registry is 'hob', which Registry:Registries does not have")]
    public async Task A_rule_is_about_a_registry_that_holds_something(string registry, string message)
        => Assert.Contains(
            message,
            (await Assert.ThrowsAsync<StartRefusedException>(() => RegistryFactory.StartAsync(
            [
                .. Good.Select(setting => ($"Registries:{setting.Key}", setting.Value)),
                ("Access:Rules:0:Subject", "everyone"), ("Access:Rules:0:Registry", registry),
                ("Access:Rules:0:Repositories:0", "**"), ("Access:Rules:0:Actions:0", "Pull"),
            ]))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("docker.io")]
    [InlineData("registry.example.com:5000")]
    [InlineData("10.0.0.1")]
    [InlineData("[::1]:5000")]
    public async Task What_fits_starts(string ns)
    {
        await using var registry = await StartAsync([.. Good, ("hub:Namespaces:0", ns)]);
    }

    private static IEnumerable<(string Key, string? Value)> Groups(params (string Name, string Member)[] groups)
        => groups.SelectMany(group => new (string, string?)[]
        {
            ($"{group.Name}:Kind", "Group"), ($"{group.Name}:Path", group.Name), ($"{group.Name}:Members:0", group.Member),
        });

    private static Task<RegistryFactory> StartAsync((string Key, string? Value)[] settings)
        => RegistryFactory.StartAsync([.. settings.Select(setting => ($"Registries:{setting.Key}", setting.Value))]);

    private static async Task<string> RefuseAsync((string Key, string? Value)[] settings)
        => (await Assert.ThrowsAsync<StartRefusedException>(() => StartAsync(settings))).Message;
}
