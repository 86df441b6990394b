using Registry.Infrastructure;

namespace Registry.Web.Tests.Configuration;

/// <summary>Settings of a directory that cannot be meant so stop the start; no server is asked.</summary>
[Trait(Backend.Trait, Backend.Own)]
public sealed class LdapSettingsTests
{
    private const string Directory = "Access:Ldap:0";

    private static readonly (string Key, string? Value)[] Good =
    [
        ("Access:Ldap:0:Urls:0", "ldap://127.0.0.1:1"), ("Access:Ldap:0:BindDn", "cn=reader,dc=example"),
        ("Access:Ldap:0:BindPassword", "the-secret"), ("Access:Ldap:0:BaseDn", "dc=example"),
    ];

    [Theory]
    [InlineData("Urls:0", "ldap.example.com", "Registry:Access:Ldap:0:Urls has 'ldap.example.com', which is no address")]
    [InlineData("Urls:0", "https://127.0.0.1", "which is no address")]
    [InlineData("Urls:0", "ldaps://ldap.example.com/dc=example", "which is no address")]
    [InlineData("Urls:0", "ldaps://reader@ldap.example.com", "which is no address")]
    [InlineData("Urls:1", "ldap://ldap.example.com", "Registry:Access:Ldap:0:Urls has 'ldap://ldap.example.com', to which passwords would go in the clear")]
    [InlineData("Urls:1", "ldap://10.0.0.1:1389", "in the clear: write ldaps://, or set Registry:Access:Ldap:0:StartTls")]
    [InlineData("BindPassword", null, "Registry:Access:Ldap:0:BindDn is 'cn=reader,dc=example', but there is no password for it")]
    [InlineData("BindDn", null, "Registry:Access:Ldap:0:BindDn is empty, but there is a password")]
    [InlineData("BindPasswordFile", "/nowhere/secret", "Registry:Access:Ldap:0:BindPasswordFile are both set")]
    [InlineData("BaseDn", null, "Registry:Access:Ldap:0:BaseDn is ''")]
    [InlineData("BaseDn", "example", "Registry:Access:Ldap:0:BaseDn is 'example'")]
    [InlineData("UserFilter", "(uid=alice)", "Registry:Access:Ldap:0:UserFilter is '(uid=alice)'")]
    [InlineData("UserFilter", "uid={user}", "Registry:Access:Ldap:0:UserFilter is 'uid={user}'")]
    [InlineData("UserFilter", "(uid={user})(a=b)", "Registry:Access:Ldap:0:UserFilter is")]
    [InlineData("UserFilter", "(uid:caseExactMatch:={user})", "with {user} behind a matching rule")]
    [InlineData("GroupFilter", "(member=x)", "Registry:Access:Ldap:0:GroupFilter is '(member=x)'")]
    [InlineData("UserNameAttribute", "", "Registry:Access:Ldap:0:UserNameAttribute is ''")]
    [InlineData("GroupNameAttribute", "a b", "Registry:Access:Ldap:0:GroupNameAttribute is 'a b'")]
    [InlineData("Timeout", "00:00:00.5", "Registry:Access:Ldap:0:Timeout is 00:00:00.5")]
    [InlineData("CacheFor", "02:00:00", "Registry:Access:Ldap:0:CacheFor is 02:00:00")]
    [InlineData("Url", "ldap://127.0.0.1", "Registry:Access:Ldap:0:Url is not a known setting")]
    [InlineData("CaFile", "/nowhere/ca.pem", "Registry:Access:Ldap:0:CaFile is '/nowhere/ca.pem', which cannot be read", "ldaps://localhost")]
    public async Task A_setting_that_does_not_fit_is_named(string key, string? value, string message, string? url = null)
    {
        var settings = Good.Where(setting => setting.Key != $"{Directory}:{key}").Append(($"{Directory}:{key}", value));
        if (url is not null)
            settings = settings.Where(setting => setting.Item1 != $"{Directory}:Urls:0").Append(($"{Directory}:Urls:0", url));
        Assert.Contains(message, await RefuseAsync([.. settings]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_that_contradict_or_lack_each_other_are_named()
    {
        Assert.Contains(
            "Registry:Access:Ldap:0:Urls is empty", await RefuseAsync([.. Good.Skip(1)]), StringComparison.Ordinal);
        Assert.Contains(
            "Registry:Access:Ldap:0:StartTls is true",
            await RefuseAsync([.. Good, ($"{Directory}:Urls:1", "ldaps://ldap.example.com"), ($"{Directory}:StartTls", "true")]),
            StringComparison.Ordinal);
        Assert.Contains(
            "Registry:Access:Ldap:0:NestedGroups is true",
            await RefuseAsync([.. Good, ($"{Directory}:GroupFilter", "(memberUid={user})"), ($"{Directory}:NestedGroups", "true")]),
            StringComparison.Ordinal);
        Assert.Contains(
            "Registry:Access:Providers has Ldap, but nothing is set",
            await RefuseAsync(("Access:Providers:0", "Ldap")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_file_that_cannot_be_read_is_named()
        => Assert.Contains(
            "Registry:Access:Ldap:0:BindPasswordFile is '/nowhere/secret', which cannot be read",
            await RefuseAsync([.. Good.Where(setting => !setting.Key.EndsWith("BindPassword", StringComparison.Ordinal)),
                ($"{Directory}:BindPasswordFile", "/nowhere/secret")]),
            StringComparison.Ordinal);

    [Fact]
    public async Task A_directory_that_is_down_does_not_stop_the_start_and_decides_about_access()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "password");
        await File.WriteAllTextAsync(file, "the-secret\n");
        (string, string?)[][] ways =
        [
            Good,
            [.. Good.Where(setting => !setting.Key.EndsWith("BindPassword", StringComparison.Ordinal)), ($"{Directory}:BindPasswordFile", file)],
            [.. Good, ($"{Directory}:Urls:1", "ldap://192.0.2.1"), ($"{Directory}:AllowCleartext", "true")],
        ];
        foreach (var settings in ways)
        {
            await using var registry = await RegistryFactory.StartAsync([.. settings, ("Access:Anonymous", null)]);
            (await registry.Client.GetAsync("/v2/")).Expect(401);
        }
    }

    private static async Task<string> RefuseAsync(params (string Key, string? Value)[] settings)
    {
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(() => RegistryFactory.StartAsync(settings));
        Assert.DoesNotContain("the-secret", refusal.Message, StringComparison.Ordinal);
        return refusal.Message;
    }
}
