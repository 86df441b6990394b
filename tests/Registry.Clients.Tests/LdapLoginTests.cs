using System.Text;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

/// <summary>Real clients sign in as users of a real directory; the group <c>dev</c> is limited to <c>foo/img/**</c>.</summary>
[Collection(nameof(RunningRegistry))]
public sealed class LdapLoginTests(DockerDaemon docker) : IClassFixture<DockerDaemon>, IAsyncLifetime
{
    private const string Password = "wonder land:1";

    private const string Refused = "401|403|unauthorized|denied|authentication required|invalid username/password";

    private readonly WorkFolder _folder = new("ldap-login");
    private readonly ClientWorkspace _work = new();
    private OpenLdapProcess? _directory;
    private RegistryProcess? _registry;

    private string Host => _registry!.Host;

    public async Task InitializeAsync()
    {
        if (OpenLdapProcess.ReasonToSkip is not null)
            return;
        _directory = await OpenLdapProcess.StartAsync();
        _registry = await StartAsync(_directory.Settings());
    }

    public async Task DisposeAsync()
    {
        if (_registry is not null)
            await _registry.DisposeAsync();
        if (_directory is not null)
            await _directory.DisposeAsync();
        _work.Dispose();
        _folder.Dispose();
    }

    [ClientFact("oras", "slapd", "ldapmodify")]
    public async Task Oras_signs_in_and_pushes_where_its_group_may()
    {
        _work.Write("a.txt", "first");
        await ExpectFailureAsync("oras", "login", "--plain-http", "-u", "alice", "-p", "wrong", Host);
        await _work.RunAsync("oras", "login", "--plain-http", "-u", "Alice", "-p", Password, Host);
        await _work.RunAsync("oras", "push", "--plain-http", $"{Host}/foo/img/doc:v1", "a.txt:text/plain");
        await ExpectFailureAsync("oras", "push", "--plain-http", $"{Host}/foo/doc:v1", "a.txt:text/plain");
    }

    [ClientFact("podman", "buildah", "slapd", "ldapmodify")]
    public async Task Podman_signs_in_and_pushes_where_its_group_may()
    {
        await ExpectFailureAsync("podman", "login", "--tls-verify=false", "-u", "alice", "-p", "wrong", Host);
        await _work.RunAsync("podman", "login", "--tls-verify=false", "-u", "alice", "-p", Password, Host);
        const string Image = "localhost/two";
        var container = (await _work.RunAsync("buildah", "from", "scratch")).Trim();
        await _work.RunAsync("buildah", "add", container, _work.Write("data.txt", "data"), "/data.txt");
        await _work.RunAsync("buildah", "commit", "--rm", container, Image);
        await _work.RunAsync("podman", "push", "--tls-verify=false", Image, $"{Host}/foo/img/pod:one");
        await _work.RunAsync("podman", "pull", "--tls-verify=false", $"{Host}/foo/img/pod:one");
        await ExpectFailureAsync("podman", "push", "--tls-verify=false", Image, $"{Host}/foo/pod:one");
    }

    [ClientFact("docker", "dockerd", "slapd", "ldapmodify")]
    public async Task Docker_signs_in_and_pushes_where_its_group_may()
    {
        var (name, other) = ($"{Host}/foo/img/app:one", $"{Host}/foo/app:one");
        await docker.ImportAsync(name, 10_000);
        await docker.DockerAsync("tag", name, other);
        await RefusedAsync("login", "-u", "alice", "-p", "wrong", Host);
        await docker.DockerAsync("login", "-u", "alice", "-p", Password, Host);
        await docker.DockerAsync("push", name);
        await RefusedAsync("push", other);

        async Task RefusedAsync(params string[] arguments)
            => Assert.NotEqual(0, (await docker.Work.TryRunAsync("docker", arguments)).ExitCode);
    }

    [ClientFact("slapd", "ldapmodify")]
    public async Task The_environment_cannot_turn_the_check_of_certificates_off()
    {
        using var authority = new CertificateAuthority();
        using var stranger = new CertificateAuthority();
        await using var directory = await OpenLdapProcess.StartAsync(authority);
        Assert.Equal(200, await StatusAsync(authority));
        Assert.Equal(503, await StatusAsync(stranger));

        async Task<int> StatusAsync(CertificateAuthority trusted)
        {
            var settings = directory.Settings();
            settings["Urls:0"] = directory.SecureUrl;
            settings["CaFile"] = _folder.File($"{Guid.NewGuid():N}.pem");
            await File.WriteAllTextAsync(settings["CaFile"], trusted.Pem);
            await using var registry = await StartAsync(settings, ("LDAPTLS_REQCERT", "never"));
            using var http = new HttpClient();
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(registry.Address, "/v2/"));
            var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:{Password}"));
            request.Headers.TryAddWithoutValidation("Authorization", $"Basic {credentials}");
            using var answer = await http.SendAsync(request);
            Assert.DoesNotContain("secret", registry.Log, StringComparison.Ordinal);
            return (int)answer.StatusCode;
        }
    }

    private Task<RegistryProcess> StartAsync(
        IReadOnlyDictionary<string, string> directory, params (string Name, string Value)[] environment)
    {
        var settings = directory.ToDictionary(
            setting => $"Registry:Access:Ldap:0:{setting.Key}", setting => setting.Value, StringComparer.Ordinal);
        foreach (var (name, value) in environment)
            settings[name] = value;
        settings["Registry:Access:Rules:0:Subject"] = "group:dev";
        settings["Registry:Access:Rules:0:Repositories:0"] = "foo/img/**";
        settings["Registry:Access:Rules:0:Actions:0"] = "Pull";
        settings["Registry:Access:Rules:0:Actions:1"] = "Push";
        return RegistryProcess.StartAsync(_folder.Folder($"data-{Guid.NewGuid():N}"), settings: settings);
    }

    private async Task ExpectFailureAsync(params string[] command)
    {
        var result = await _work.TryRunAsync(command[0], command[1..]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Matches($"(?i){Refused}", result.Error + result.Output);
        Assert.DoesNotContain(Password, result.Error + result.Output, StringComparison.Ordinal);
    }
}
