using Registry.Testing.Processes;

namespace Registry.Clients.Tests;

/// <summary>
/// Real clients at a registry that everybody may pull from and that has users: without a login they get a token for what
/// everybody may do, with one they push. All of it goes over bearer tokens, for nothing else is asked for.
/// </summary>
[Collection(nameof(RunningRegistry))]
public sealed class AnonymousPullTests(DockerDaemon docker) : IClassFixture<DockerDaemon>, IAsyncLifetime
{
    private const string User = "alice";
    private const string Password = "wonder land:1";
    private const string Hash = "$2y$05$abcdefghijklmnopqrstuuaB0XGmWsGp.MgqAVx4Na9PcnH2YCYrq";
    private const string Refused = "401|403|unauthorized|denied|authentication required";

    private readonly WorkFolder _folder = new("anonymous");
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
                ["Registry:Access:Anonymous"] = "Pull",
                ["Registry:Access:Htpasswd:Path"] = _folder.File("htpasswd"),
                ["Registry:Access:Rules:0:Subject"] = $"user:{User}",
                ["Registry:Access:Rules:0:Repositories:0"] = "**",
                ["Registry:Access:Rules:0:Actions:0"] = "Push",
                ["Registry:Access:Rules:0:Actions:1"] = "Overwrite",
            });
    }

    public async Task DisposeAsync()
    {
        if (_registry is not null)
            await _registry.DisposeAsync();
        _work.Dispose();
        _folder.Dispose();
    }

    [ClientFact("docker", "dockerd")]
    public async Task Docker_pulls_without_a_login_and_pushes_with_one()
    {
        var name = $"{Host}/open/app:one";
        var id = await docker.ImportAsync(name, 10_000);
        await ExpectRefusalAsync(docker.Work, "docker", "push", name);

        await docker.DockerAsync("login", "-u", User, "-p", Password, Host);
        await docker.DockerAsync("push", name);
        await docker.DockerAsync("logout", Host);
        await docker.DockerAsync("rmi", "--force", id);

        await docker.DockerAsync("pull", name);
        Assert.Equal(id, (await docker.DockerAsync("image", "inspect", "--format", "{{.Id}}", name)).Trim());
        var another = name.Replace("/app", "/new", StringComparison.Ordinal);
        await docker.DockerAsync("tag", name, another);
        await ExpectRefusalAsync(docker.Work, "docker", "push", another);
    }

    [ClientFact("skopeo")]
    public async Task Skopeo_copies_from_without_a_login_and_to_with_one()
    {
        new ImageLayout(_work.Path("layout")).AddImage("one", "amd64", 1_000);
        string[] push = ["copy", "--dest-tls-verify=false", $"oci:{_work.Path("layout")}:one", $"docker://{Host}/open/sko:one"];
        await ExpectRefusalAsync(_work, "skopeo", push);

        await _work.RunAsync("skopeo", "login", "--tls-verify=false", "-u", User, "-p", Password, Host);
        await _work.RunAsync("skopeo", push);
        await _work.RunAsync("skopeo", push); // the tag may be moved
        await _work.RunAsync("skopeo", "logout", Host);

        await _work.RunAsync(
            "skopeo", "copy", "--src-tls-verify=false", $"docker://{Host}/open/sko:one", $"oci:{_work.Path("back")}:one");
        Assert.Contains("\"one\"", await _work.RunAsync("skopeo", "list-tags", "--tls-verify=false", $"docker://{Host}/open/sko"), StringComparison.Ordinal);
        await ExpectRefusalAsync(_work, "skopeo", push);
    }

    [ClientFact("oras")]
    public async Task Oras_pulls_without_a_login_and_pushes_with_one()
    {
        _work.Write("a.txt", "first");
        string[] push = ["push", "--plain-http", "--concurrency", "1", $"{Host}/open/doc:v1", "a.txt:text/plain"];
        await ExpectRefusalAsync(_work, "oras", push);

        await _work.RunAsync("oras", "login", "--plain-http", "-u", User, "-p", Password, Host);
        await _work.RunAsync("oras", push);
        await _work.RunAsync("oras", "logout", Host);

        await _work.RunAsync("oras", "pull", "--plain-http", $"{Host}/open/doc:v1", "-o", _work.Folder("pulled"));
        Assert.Equal("first", await File.ReadAllTextAsync(_work.Path("pulled/a.txt")));
        Assert.Equal("open/doc", (await _work.RunAsync("oras", "repo", "ls", "--plain-http", Host)).Trim());
        await ExpectRefusalAsync(_work, "oras", [.. push[..4], $"{Host}/open/new:v1", push[^1]]);
    }

    [ClientFact("podman", "buildah")]
    public async Task Podman_pulls_without_a_login_and_pushes_with_one()
    {
        const string Image = "localhost/anonymous";
        var container = (await _work.RunAsync("buildah", "from", "scratch")).Trim();
        await _work.RunAsync("buildah", "add", container, _work.Write("data.txt", "data"), "/data.txt");
        await _work.RunAsync("buildah", "commit", "--rm", container, Image);
        string[] push = ["push", "--tls-verify=false", Image, $"{Host}/open/pod:one"];
        await ExpectRefusalAsync(_work, "podman", push);

        await _work.RunAsync("podman", "login", "--tls-verify=false", "-u", User, "-p", Password, Host);
        await _work.RunAsync("podman", push);
        await _work.RunAsync("podman", "logout", Host);

        await _work.RunAsync("podman", "pull", "--tls-verify=false", $"{Host}/open/pod:one");
        await ExpectRefusalAsync(_work, "podman", push);
    }

    private static async Task ExpectRefusalAsync(ClientWorkspace work, string program, params string[] arguments)
    {
        var result = await work.TryRunAsync(program, arguments);
        // oras 1.2.0 now and then ends so, of itself, when two of its requests are refused at once: then it has told
        // nothing of the registry's answer, and is asked again.
        for (var again = 0; again < 5 && result.Error.Contains("panic: sync/atomic", StringComparison.Ordinal); again++)
            result = await work.TryRunAsync(program, arguments);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Matches($"(?i){Refused}", result.Error + result.Output);
        Assert.DoesNotContain(Password, result.Error, StringComparison.Ordinal);
    }
}
