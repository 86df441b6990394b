using System.Text.RegularExpressions;
using Registry.Testing.Processes;

namespace Registry.Clients.Tests.Proxies;

/// <summary>
/// Real clients whose user alone may pull through a proxy: each signs in, pulls, pushes to a group that the proxy is a
/// member of, is refused where it may not go, and pulls again when the upstream is gone.
/// </summary>
[Collection(nameof(RunningRegistry))]
public sealed class ProxyLoginTests(DockerDaemon docker, ContainerdTests.Daemon containerd)
    : IClassFixture<DockerDaemon>, IClassFixture<ContainerdTests.Daemon>, IAsyncLifetime
{
    private const string User = "alice";
    private const string Password = "wonder land:1";
    private const string Hash = "$2y$05$abcdefghijklmnopqrstuuaB0XGmWsGp.MgqAVx4Na9PcnH2YCYrq";

    // Each client in its own words. Without a login most get a token for what everybody may do, which is nothing here.
    private const string Refused = @"\b40[13]\b|unauthorized|denied|authentication required|authorization failed";
    private const string NoPushes = "caches another registry and takes no pushes";

    // How oras and ctr now and then end when they are refused, of themselves and without a word about the answer.
    private const string TellsNothing = "panic: sync/atomic|read/write on closed pipe";

    private readonly WorkFolder _folder = new("proxy-login");
    private readonly ClientWorkspace _work = new();
    private RegistryProcess? _upstream;
    private RegistryProcess? _registry;
    private int _copies;

    private string Host => _registry!.Host;

    public async Task InitializeAsync()
    {
        if (Programs.ReasonToSkip("skopeo") is not null)
            return;
        await File.WriteAllTextAsync(_folder.File("htpasswd"), $"{User}:{Hash}\n");
        _upstream = await RegistryProcess.StartAsync(_folder.Folder("upstream"));
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Registry:Access:Anonymous"] = "None",
            ["Registry:Access:Htpasswd:Path"] = _folder.File("htpasswd"),
            ["Registry:Registries:all:Kind"] = "Group",
            ["Registry:Registries:all:Path"] = "all",
            ["Registry:Registries:all:Members:0"] = "default",
            ["Registry:Registries:all:Members:1"] = "hub",
            ["Registry:Registries:all:PushTo"] = "default",
        };
        // What no rule lets pass, and what is let pass and is refused by what it is.
        foreach (var proxy in new[] { "hub", "full" })
        {
            settings[$"Registry:Registries:{proxy}:Kind"] = "Proxy";
            settings[$"Registry:Registries:{proxy}:Path"] = proxy;
            settings[$"Registry:Registries:{proxy}:Upstream"] = _upstream.Address.GetLeftPart(UriPartial.Authority);
            settings[$"Registry:Registries:{proxy}:Namespaces:0"] = $"{proxy}.example";
            settings[$"Registry:Registries:{proxy}:TagTtl"] = "00:00:00";
        }

        Allow(settings, 0, "hub", "Pull");
        Allow(settings, 1, "full", "Pull", "Push");
        Allow(settings, 2, "default", "Pull", "Push");
        _registry = await RegistryProcess.StartAsync(_folder.Folder("data"), settings: settings);

        var layout = _work.Folder("layout");
        new ImageLayout(layout).AddImage("one", "amd64", 300_000, 5_000);
        await _work.RunAsync(
            "skopeo", "copy", "--dest-tls-verify=false", $"oci:{layout}:one", $"docker://{_upstream.Host}/team/app:one");
    }

    public async Task DisposeAsync()
    {
        if (_registry is not null)
            await _registry.DisposeAsync();
        if (_upstream is not null)
            await _upstream.DisposeAsync();
        _work.Dispose();
        _folder.Dispose();
    }

    [ClientFact("docker", "dockerd", "skopeo")]
    public Task Docker() => RunAsync(
        signIn: () => docker.DockerAsync("login", "-u", User, "-p", Password, Host),
        signOut: () => docker.DockerAsync("logout", Host),
        pull: async name =>
        {
            await docker.Work.TryRunAsync("docker", "rmi", "--force", name);
            return await docker.Work.TryRunAsync("docker", "pull", name);
        },
        push: async (source, target) =>
        {
            await docker.DockerAsync("tag", source, target);
            return await docker.Work.TryRunAsync("docker", "push", target);
        });

    [ClientFact("podman", "skopeo")]
    public Task Podman() => RunAsync(
        signIn: () => _work.RunAsync("podman", "login", "--tls-verify=false", "-u", User, "-p", Password, Host),
        signOut: () => _work.RunAsync("podman", "logout", Host),
        pull: async name =>
        {
            await _work.TryRunAsync("podman", "rmi", "--force", name);
            return await _work.TryRunAsync("podman", "pull", "--tls-verify=false", name);
        },
        push: (source, target) => _work.TryRunAsync("podman", "push", "--tls-verify=false", source, target));

    [ClientFact("skopeo")]
    public Task Skopeo() => RunAsync(
        signIn: () => _work.RunAsync("skopeo", "login", "--tls-verify=false", "-u", User, "-p", Password, Host),
        signOut: () => _work.RunAsync("skopeo", "logout", Host),
        pull: name => _work.TryRunAsync(
            "skopeo", "copy", "--src-tls-verify=false", $"docker://{name}", $"oci:{_work.Path($"copy{++_copies}")}:one"),
        push: (source, target) => _work.TryRunAsync(
            "skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", $"docker://{source}", $"docker://{target}"));

    [ClientFact("oras", "skopeo")]
    public Task Oras() => RunAsync(
        signIn: () => _work.RunAsync("oras", "login", "--plain-http", "-u", User, "-p", Password, Host),
        signOut: () => _work.RunAsync("oras", "logout", Host),
        pull: name => AgainAsync(() => _work.TryRunAsync(
            "oras", "copy", "--from-plain-http", "--to-oci-layout", name, $"{_work.Path($"copy{++_copies}")}:one")),
        push: (source, target) => AgainAsync(() => _work.TryRunAsync(
            "oras", "copy", "--from-plain-http", "--to-plain-http", "--concurrency", "1", source, target)));

    [ClientFact("containerd", "ctr", "skopeo")]
    public async Task Ctr()
    {
        string[] user = [];
        await RunAsync(
            signIn: () => Task.FromResult(user = ["--user", $"{User}:{Password}"]),
            signOut: () => Task.FromResult(user = []),
            pull: async name =>
            {
                await containerd.TryCtrAsync("images", "rm", "--sync", name);
                return await containerd.TryCtrAsync(
                    ["images", "pull", "--plain-http", "--snapshotter", "native", .. user, name]);
            },
            push: (source, target) => AgainAsync(
                () => containerd.TryCtrAsync(["images", "push", "--plain-http", .. user, target, source])),
            // Of a refused manifest it shows the status alone. Where it is refused before it has sent all of it, which is
            // so without the right to push, it often tells of its own pipe instead.
            noRight: $"{Refused}|{TellsNothing}", noPushes: "405 Method Not Allowed");
    }

    [ClientFact("curl", "skopeo")]
    public async Task Name_and_password_without_a_token_do_as_well()
    {
        foreach (var path in new[] { "hub/team/app/manifests/one", "all/team/app/manifests/one", "hub/team/app/tags/list" })
        {
            Assert.Equal("401", await StatusAsync());
            Assert.Equal("401", await StatusAsync("--user", $"{User}:wrong"));
            Assert.Equal("200", await StatusAsync("--user", $"{User}:{Password}"));

            Task<string> StatusAsync(params string[] credentials) => _work.RunAsync(
                "curl",
                [
                    "--silent", "--output", _work.Path("body"), "--write-out", "%{http_code}", .. credentials,
                    $"http://{Host}/v2/{path}",
                ]);
        }
    }

    [ClientFact("docker", "dockerd", "skopeo")]
    public async Task Docker_builds_on_an_image_of_the_upstream_and_pushes_to_the_group()
    {
        var (folder, name) = (docker.Work.Folder($"build{Guid.NewGuid():N}"), $"{Host}/all/ours/built:v1");
        await WriteBuildAsync(folder);
        await docker.DockerAsync("login", "-u", User, "-p", Password, Host);

        await docker.DockerAsync("build", "--tag", name, folder);
        await docker.DockerAsync("push", name);
        await docker.DockerAsync("logout", Host);

        await ExpectWholeAsync("ours/built:v1");
    }

    [ClientFact("podman", "skopeo")]
    public async Task Podman_builds_on_an_image_of_the_upstream_and_pushes_to_the_group()
    {
        var (folder, name) = (_work.Folder("build"), $"{Host}/all/ours/built:v1");
        await WriteBuildAsync(folder);
        await _work.RunAsync("podman", "login", "--tls-verify=false", "-u", User, "-p", Password, Host);

        await _work.RunAsync("podman", "build", "--tls-verify=false", "--tag", name, folder);
        await _work.RunAsync("podman", "push", "--tls-verify=false", name);

        await ExpectWholeAsync("ours/built:v1");
    }

    private async Task WriteBuildAsync(string folder)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "data.txt"), "of our own");
        await File.WriteAllTextAsync(Path.Combine(folder, "Dockerfile"), $"FROM {Host}/all/team/app:one\nCOPY data.txt /data.txt\n");
    }

    // From where it was pushed to, without the upstream: with the layers that were never sent.
    private async Task ExpectWholeAsync(string name)
    {
        await _upstream!.StopAsync();
        foreach (var place in new[] { name, $"all/{name}" })
        {
            var copy = $"oci:{_work.Path($"copy{++_copies}")}:one";
            await _work.RunAsync(
                "skopeo", "copy", "--src-tls-verify=false", "--src-creds", $"{User}:{Password}", $"docker://{Host}/{place}", copy);
            var layers = await _work.RunAsync("skopeo", "inspect", "--format", "{{len .Layers}}", copy);
            Assert.Equal("3", layers.Trim());
        }
    }

    private async Task RunAsync(
        Func<Task> signIn, Func<Task> signOut, Func<string, Task<CommandResult>> pull,
        Func<string, string, Task<CommandResult>> push, string noRight = Refused, string noPushes = NoPushes)
    {
        var (proxied, grouped) = ($"{Host}/hub/team/app:one", $"{Host}/all/team/app:one");
        ExpectRefusal(Refused, await pull(proxied));
        ExpectRefusal(Refused, await pull(grouped));

        await signIn();
        (await pull(proxied)).OutputOrThrow();
        (await pull(grouped)).OutputOrThrow();
        ExpectRefusal(noRight, await push(proxied, $"{Host}/hub/team/app:two"));
        Assert.False((await pull($"{Host}/hub/team/app:two")).Succeeded, "What was refused is there.");
        ExpectRefusal(noPushes, await push(proxied, $"{Host}/full/team/app:two"));

        // Its layers came through the proxy: what is seen in the group is not sent, and what takes pushes has it all the same.
        (await push(proxied, $"{Host}/all/team/more:two")).OutputOrThrow();
        (await push(grouped, $"{Host}/all/team/app:two")).OutputOrThrow();
        await _upstream!.StopAsync();
        foreach (var name in new[] { "all/team/app:two", "team/app:two", "all/team/more:two", "team/more:two", "hub/team/app:one" })
            (await pull($"{Host}/{name}")).OutputOrThrow();

        await signOut();
        ExpectRefusal(Refused, await pull(proxied));
        ExpectRefusal(Refused, await pull($"{Host}/all/team/app:two"));
    }

    private static async Task<CommandResult> AgainAsync(Func<Task<CommandResult>> command)
    {
        var result = await command();
        for (var again = 0; again < 5 && Regex.IsMatch(result.Error, TellsNothing); again++)
            result = await command();
        return result;
    }

    private static void ExpectRefusal(string said, CommandResult result)
    {
        Assert.False(result.Succeeded, $"'{result.CommandLine}' succeeded.");
        Assert.True(
            Regex.IsMatch(result.Error + result.Output, said, RegexOptions.IgnoreCase),
            $"'{result.CommandLine}' said something else: {result.Error}{result.Output}");
        Assert.DoesNotContain(Password, result.Error, StringComparison.Ordinal);
    }

    private static void Allow(Dictionary<string, string> settings, int rule, string registry, params string[] actions)
    {
        settings[$"Registry:Access:Rules:{rule}:Subject"] = $"user:{User}";
        settings[$"Registry:Access:Rules:{rule}:Registry"] = registry;
        settings[$"Registry:Access:Rules:{rule}:Repositories:0"] = "**";
        for (var i = 0; i < actions.Length; i++)
            settings[$"Registry:Access:Rules:{rule}:Actions:{i}"] = actions[i];
    }
}
