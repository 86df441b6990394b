using System.Buffers.Text;
using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

/// <summary>Each of the clients that have a login signs in with what each of the providers knows, to one registry.</summary>
[Collection(nameof(RunningRegistry))]
public sealed class ProviderLoginTests(DockerDaemon docker) : IClassFixture<DockerDaemon>, IAsyncLifetime
{
    private const string Issuer = "https://ci.example.org";
    private const string Audience = "https://registry.example.org";
    private const string OfTheFile = "wonder land:1";
    private const string Hash = "$2y$05$abcdefghijklmnopqrstuuaB0XGmWsGp.MgqAVx4Na9PcnH2YCYrq";
    private const string Local = "a local password";

    private readonly WorkFolder _folder = new("provider-login");
    private readonly ClientWorkspace _work = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly List<(string User, string Password)> _known = [];
    private OpenLdapProcess? _directory;
    private RegistryProcess? _registry;

    private string Host => _registry!.Host;

    public async Task InitializeAsync()
    {
        if (OpenLdapProcess.ReasonToSkip is not null)
            return;
        _directory = await OpenLdapProcess.StartAsync();
        await File.WriteAllTextAsync(_folder.File("htpasswd"), $"filed:{Hash}\n");
        await File.WriteAllTextAsync(_folder.File("keys.json"), PublicKeys());
        var settings = _directory.Settings().ToDictionary(
            setting => $"Registry:Access:Ldap:0:{setting.Key}", setting => setting.Value, StringComparer.Ordinal);
        settings["Registry:Access:Htpasswd:Path"] = _folder.File("htpasswd");
        settings["Registry:Access:Workload:0:Issuer"] = Issuer;
        settings["Registry:Access:Workload:0:Id"] = "ci";
        settings["Registry:Access:Workload:0:Audience"] = Audience;
        settings["Registry:Access:Workload:0:KeysFile"] = _folder.File("keys.json");
        _registry = await RegistryProcess.StartAsync(_folder.Folder("data"), settings: settings);

        using var admin = new HttpClient { BaseAddress = _registry.Address };
        var password = (await File.ReadAllTextAsync(_folder.File("data/initial-admin-password"))).Trim();
        admin.DefaultRequestHeaders.Authorization
            = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{password}")));
        await PostAsync(admin, "users", new { name = "lena", password = Local });
        await PostAsync(admin, "robots", new { name = "builder" });
        var token = await PostAsync(admin, "robots/builder/tokens", new { description = "a job" });
        _known.AddRange(
        [
            ("lena", Local), ("filed", OfTheFile), ("alice", "wonder land:1"),
            ("robot+builder", token.GetProperty("secret").GetString()!), ("oidc", WorkloadToken()),
        ]);
    }

    public async Task DisposeAsync()
    {
        if (_registry is not null)
            await _registry.DisposeAsync();
        if (_directory is not null)
            await _directory.DisposeAsync();
        _key.Dispose();
        _work.Dispose();
        _folder.Dispose();
    }

    [ClientFact("skopeo", "slapd", "ldapmodify")]
    public Task Skopeo_signs_in_with_each() => SignInAsync(
        (user, password) => _work.TryRunAsync("skopeo", "login", "--tls-verify=false", "-u", user, "-p", password, Host));

    [ClientFact("oras", "slapd", "ldapmodify")]
    public Task Oras_signs_in_with_each() => SignInAsync(
        (user, password) => _work.TryRunAsync("oras", "login", "--plain-http", "-u", user, "-p", password, Host));

    [ClientFact("podman", "slapd", "ldapmodify")]
    public Task Podman_signs_in_with_each() => SignInAsync(
        (user, password) => _work.TryRunAsync("podman", "login", "--tls-verify=false", "-u", user, "-p", password, Host));

    [ClientFact("docker", "dockerd", "slapd", "ldapmodify")]
    public Task Docker_signs_in_with_each() => SignInAsync(
        (user, password) => docker.Work.TryRunAsync("docker", "login", "-u", user, "-p", password, Host));

    private async Task SignInAsync(Func<string, string, Task<CommandResult>> logIn)
    {
        Assert.Equal(5, _known.Count);
        foreach (var (user, password) in _known)
        {
            var good = await logIn(user, password);
            Assert.True(good.ExitCode == 0, $"{user}: {good.Error}{good.Output}");
            var wrong = await logIn(user, $"{password[..^5]}wrong");
            Assert.True(wrong.ExitCode != 0, $"{user} signs in with a wrong password.");
        }
    }

    private static async Task<JsonElement> PostAsync(HttpClient admin, string path, object body)
    {
        using var answer = await admin.PostAsJsonAsync(new Uri($"/api/v1/{path}", UriKind.Relative), body);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private string PublicKeys()
    {
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        return JsonSerializer.Serialize(new
        {
            keys = new[]
            {
                new
                {
                    kty = "EC", crv = "P-256", kid = "one", alg = "ES256", use = "sig",
                    x = Base64Url.EncodeToString(point.X), y = Base64Url.EncodeToString(point.Y),
                },
            },
        });
    }

    // As a platform signs it for a job (RFC 7515, RFC 7519).
    private string WorkloadToken()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var signed = string.Create(
            CultureInfo.InvariantCulture,
            $"{Encode("""{"alg":"ES256","kid":"one"}""")}.{Encode(JsonSerializer.Serialize(new
            {
                iss = Issuer, aud = Audience, sub = "team/app", iat = now, exp = now + 600,
            }))}");
        return $"{signed}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
