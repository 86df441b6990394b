using System.Security.Cryptography.X509Certificates;
using Registry.Testing.Processes;
using Registry.Web.Tests.Commands;

namespace Registry.Web.Tests.Tls;

/// <summary>What cannot be served over TLS is refused in one line that names key, value and fix.</summary>
[Trait(Backend.Trait, Backend.Neither)]
public sealed class RefusedCertificatesTests : IDisposable
{
    private const string Key = "Registry:Tls:Certificates:0";

    private readonly WorkFolder _folder = new("refused-tls");

    public RefusedCertificatesTests()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.Issue("registry.example");
        using var other = authority.Issue("registry.example");
        Write("good.crt", certificate.ExportCertificatePem());
        Write("good.key", TestAuthority.KeyOf(certificate));
        Write("other.key", TestAuthority.KeyOf(other));
        Write("encrypted.key", TestAuthority.KeyOf(certificate, "right-password"));
        Write("right", "right-password");
        Write("empty", "");
        Write("garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        File.WriteAllBytes(_folder.File("good.pfx"), certificate.Export(X509ContentType.Pfx, "right-password"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public Task A_listener_of_TLS_without_a_certificate()
        => RefuseAsync([], "Registry:Listen", "'https://127.0.0.1:0'", "Registry:Tls:Certificates:0:Path");

    [Theory]
    [InlineData("none.crt", null, "Path", "'none.crt'", "cannot be read")]
    [InlineData("empty", null, "Path", "'empty'", "PFX")]
    [InlineData("garbage", "good.key", "Path", "'garbage'")]
    [InlineData("good.crt", null, "Path", "'good.crt'", "no private key", "KeyPath")]
    [InlineData("good.crt", "none.key", "KeyPath", "'none.key'", "cannot be read")]
    [InlineData("good.crt", "other.key", "KeyPath", "'other.key'", "does not fit")]
    [InlineData("good.crt", "garbage", "KeyPath", "'garbage'", "no private key")]
    [InlineData("good.crt", "encrypted.key", "KeyPath", "'encrypted.key'", "encrypted", "PasswordFile")]
    [InlineData("good.pfx", null, "Path", "'good.pfx'", "password")]
    [InlineData("", null, "Path", "empty")]
    public Task Files_that_cannot_be_used(string path, string? keyPath, string key, params string[] named)
        => RefuseAsync([("Path", path), .. KeyPath(keyPath)], [$"{Key}:{key}", .. named]);

    [Theory]
    [InlineData("good.pfx", null, "Path")]
    [InlineData("good.crt", "encrypted.key", "KeyPath")]
    public Task A_wrong_password_which_is_not_repeated(string path, string? keyPath, string key)
        => RefuseAsync([("Path", path), ("Password", "wrong-password"), .. KeyPath(keyPath)], $"{Key}:{key}", "password");

    [Fact]
    public Task A_password_in_two_places()
        => RefuseAsync(
            [("Path", "good.pfx"), ("Password", "wrong-password"), ("PasswordFile", "right")],
            $"{Key}:Password", $"{Key}:PasswordFile", "both set");

    [Fact]
    public Task A_host_name_that_is_none()
        => RefuseAsync(
            [("Path", "good.crt"), ("KeyPath", "good.key"), ("Hosts:0", "a.example:443")],
            $"{Key}:Hosts", "'a.example:443'", "no port");

    [Theory]
    [InlineData("Limits:PrincipalBurst", "0", "1 or more")]
    [InlineData("Limits:PrincipalRequestsPerSecond", "1000", "Registry:Limits:PrincipalBurst")]
    [InlineData("Limits:Connections", "-1", "0 (no limit)")]
    [InlineData("Limits:HeaderTimeout", "00:00:00", "from a second")]
    [InlineData("Limits:IdleTimeout", "02:00:00", "to an hour")]
    [InlineData("ForwardedHeaders:Networks:0", "10.0.0.1/8/9", "10.0.0.0/8")]
    [InlineData("Tls:HstsMaxAge", "-1.00:00:00", "zero")]
    public async Task Limits_and_networks_that_cannot_be(string key, string value, string named)
    {
        var result = await ServerProcess.RunAsync(_folder, TlsServer.Environment((key, value)), "--port", "0");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"Registry:{key.Split(":0")[0]}", result.Error, StringComparison.Ordinal);
        Assert.Contains(named, result.Error, StringComparison.Ordinal);
    }

    private static (string, string)[] KeyPath(string? path) => path is null ? [] : [("KeyPath", path)];

    private async Task RefuseAsync((string Key, string Value)[] certificate, params string[] named)
    {
        var environment = TlsServer.Environment(
            [
                ("Listen:0", "https://127.0.0.1:0"),
                .. certificate.Select(setting => ($"Tls:Certificates:0:{setting.Key}", setting.Value)),
            ]);
        var result = await ServerProcess.RunAsync(_folder, environment);

        Assert.True(result.ExitCode == 1, $"{result.ExitCode}: {result.Error}{result.Output}");
        Assert.StartsWith("registry: ", result.Error, StringComparison.Ordinal);
        Assert.Equal(result.Error.Length - 1, result.Error.IndexOf('\n', StringComparison.Ordinal)); // one line
        Assert.All(named, text => Assert.Contains(text, result.Error, StringComparison.Ordinal));
        Assert.DoesNotContain("wrong-password", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    private void Write(string name, string text) => File.WriteAllText(_folder.File(name), text);
}
