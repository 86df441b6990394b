using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

/// <summary>Real clients sign in to a registry that nobody may use without credentials.</summary>
[Collection(nameof(RunningRegistry))]
public sealed class LoginTests(DockerDaemon docker) : IClassFixture<DockerDaemon>, IAsyncLifetime
{
    private const string User = "alice";
    private const string Password = "wonder land:1";
    private const string Hash = "$2y$05$abcdefghijklmnopqrstuuaB0XGmWsGp.MgqAVx4Na9PcnH2YCYrq";

    // Each client in its own words, some without the server's: a HEAD has no body.
    private const string Unknown = "401|unauthorized|authentication required|invalid username/password";
    private const string Denied = "403|denied";

    private readonly WorkFolder _folder = new("login");
    private readonly ClientWorkspace _work = new();
    private RegistryProcess? _registry;

    private string Host => _registry!.Host;

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(_folder.File("htpasswd"), $"{User}:{Hash}\n");
        _registry = await RegistryProcess.StartAsync(
            _folder.Folder("data"),
            settings: new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Registry:Access:Htpasswd:Path"] = _folder.File("htpasswd"),
                ["Registry:Access:Rules:0:Subject"] = $"user:{User}",
                ["Registry:Access:Rules:0:Repositories:0"] = "foo/img/**",
                ["Registry:Access:Rules:0:Actions:0"] = "Pull",
                ["Registry:Access:Rules:0:Actions:1"] = "Push",
            });
    }

    public async Task DisposeAsync()
    {
        if (_registry is not null)
            await _registry.DisposeAsync();
        _work.Dispose();
        _folder.Dispose();
    }

    [ClientFact("skopeo")]
    public async Task Skopeo_signs_in_and_copies_where_its_user_may()
    {
        new ImageLayout(_work.Path("layout")).AddImage("one", "amd64", 1_000);
        await ExpectFailureAsync(Unknown, "skopeo", "login", "--tls-verify=false", "-u", User, "-p", "wrong", Host);
        await ExpectFailureAsync(Unknown, Skopeo("foo/img/app"));

        await _work.RunAsync("skopeo", "login", "--tls-verify=false", "-u", User, "-p", Password, Host);
        await _work.RunAsync("skopeo", Skopeo("foo/img/app")[1..]);
        await _work.RunAsync(
            "skopeo", "copy", "--src-tls-verify=false", $"docker://{Host}/foo/img/app:one", $"oci:{_work.Path("back")}:one");
        await ExpectFailureAsync(Denied, Skopeo("foo/other"));

        await _work.RunAsync("skopeo", "logout", Host);
        await ExpectFailureAsync(Unknown, Skopeo("foo/img/app"));

        string[] Skopeo(string repository) =>
        [
            "skopeo", "copy", "--dest-tls-verify=false", $"oci:{_work.Path("layout")}:one",
            $"docker://{Host}/{repository}:one",
        ];
    }

    [ClientFact("oras")]
    public async Task Oras_signs_in_and_pushes_where_its_user_may()
    {
        _work.Write("a.txt", "first");
        await ExpectFailureAsync(Unknown, "oras", "login", "--plain-http", "-u", User, "-p", "wrong", Host);

        await _work.RunAsync("oras", "login", "--plain-http", "-u", User, "-p", Password, Host);
        await _work.RunAsync("oras", "push", "--plain-http", $"{Host}/foo/img/doc:v1", "a.txt:text/plain");
        await _work.RunAsync("oras", "pull", "--plain-http", $"{Host}/foo/img/doc:v1", "-o", _work.Folder("pulled"));
        // It asks with HEAD, whose refusal has no body: the status is all that it can tell.
        await ExpectFailureAsync(
            $"{Denied}|401", "oras", "push", "--plain-http", "--concurrency", "1", $"{Host}/foo/doc:v1", "a.txt:text/plain");

        Assert.Equal("first", await File.ReadAllTextAsync(_work.Path("pulled/a.txt")));
        Assert.Equal("foo/img/doc", (await _work.RunAsync("oras", "repo", "ls", "--plain-http", Host)).Trim());
    }

    [ClientFact("podman", "buildah")]
    public async Task Podman_signs_in_and_searches_what_its_user_may_see()
    {
        await ExpectFailureAsync(Unknown, "podman", "login", "--tls-verify=false", "-u", User, "-p", "wrong", Host);
        await _work.RunAsync("podman", "login", "--tls-verify=false", "-u", User, "-p", Password, Host);
        const string Image = "localhost/one";
        var container = (await _work.RunAsync("buildah", "from", "scratch")).Trim();
        await _work.RunAsync("buildah", "add", container, _work.Write("data.txt", "data"), "/data.txt");
        await _work.RunAsync("buildah", "commit", "--rm", container, Image);

        await _work.RunAsync("podman", "push", "--tls-verify=false", Image, $"{Host}/foo/img/pod:one");
        await _work.RunAsync("podman", "pull", "--tls-verify=false", $"{Host}/foo/img/pod:one");
        var found = await _work.RunAsync("podman", "search", "--tls-verify=false", $"{Host}/foo");

        Assert.Contains("foo/img/pod", found, StringComparison.Ordinal);
        await ExpectFailureAsync(Denied, "podman", "push", "--tls-verify=false", Image, $"{Host}/foo/pod:one");
    }

    [ClientFact("docker", "dockerd")]
    public async Task Docker_signs_in_and_pushes_where_its_user_may()
    {
        var (name, other) = ($"{Host}/foo/img/app:one", $"{Host}/foo/app:one");
        var id = await docker.ImportAsync(name, 10_000);
        await docker.DockerAsync("tag", name, other);
        await RefusedAsync("login", "-u", User, "-p", "wrong", Host);
        await RefusedAsync("push", name);

        await docker.DockerAsync("login", "-u", User, "-p", Password, Host);
        await docker.DockerAsync("push", name);
        await docker.DockerAsync("rmi", "--force", id);
        await docker.DockerAsync("pull", name);
        await docker.DockerAsync("tag", name, other);
        await RefusedAsync("push", other);

        await docker.DockerAsync("logout", Host);
        await docker.DockerAsync("rmi", "--force", id);
        await RefusedAsync("pull", name);

        async Task RefusedAsync(params string[] arguments)
        {
            var result = await docker.Work.TryRunAsync("docker", arguments);
            Assert.NotEqual(0, result.ExitCode);
            Assert.DoesNotContain(Password, result.Error, StringComparison.Ordinal);
        }
    }

    private async Task ExpectFailureAsync(string said, params string[] command)
    {
        var result = await _work.TryRunAsync(command[0], command[1..]);
        // As in AnonymousPullTests: a panic of oras tells nothing.
        for (var again = 0; again < 5 && result.Error.Contains("panic: sync/atomic", StringComparison.Ordinal); again++)
            result = await _work.TryRunAsync(command[0], command[1..]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Matches($"(?i){said}", result.Error + result.Output);
    }
}
