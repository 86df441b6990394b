using System.Text.Json;
using Registry.Testing.Processes;
using static Registry.Web.Tests.Access.Credentials;

namespace Registry.Web.Tests.Commands;

/// <summary><c>registry user</c> and <c>registry group</c>, beside a server that runs and without one.</summary>
public sealed class UserCommandTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly WorkFolder _folder = new("users");
    private readonly Dictionary<string, string> _environment;

    public UserCommandTests()
    {
        _environment = RegistryFactory.Backends(_folder.Path).ToDictionary(
            setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value!, StringComparer.Ordinal);
        File.WriteAllText(_folder.File("password"), "correct horse battery\n");
        File.WriteAllText(_folder.File("other"), "staple on the table\n");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_server_that_runs_takes_what_the_commands_do_within_seconds()
    {
        await using var server = await ServerProcess.StartAsync(_folder, "--anonymous", "none");
        var (first, second) = (Basic("alice", "correct horse battery"), Basic("alice", "staple on the table"));
        (await server.Client.GetAsync("/v2/", first)).Expect(401);

        Assert.Equal("User 'alice' was added.\n", await DoneAsync("user", "add", "alice", "--password-file", "password"));
        await UntilAsync(server, first, 200);
        Assert.Equal("User 'alice' is disabled.\n", await DoneAsync("user", "disable", "alice"));
        await UntilAsync(server, first, 401);
        Assert.Equal("User 'alice' is enabled.\n", await DoneAsync("user", "enable", "alice"));
        await UntilAsync(server, first, 200);
        Assert.Equal("User 'alice' has another password.\n", await DoneAsync("user", "password", "alice", "--password-file", "other"));
        await UntilAsync(server, first, 401);
        (await server.Client.GetAsync("/v2/", second)).Expect(200);
        Assert.Equal("User 'alice' was removed.\n", await DoneAsync("user", "remove", "alice"));
        await UntilAsync(server, second, 401);

        // The server has written meanwhile, and goes on to.
        (await server.Client.GetAsync("/healthz/ready")).Expect(200);
        Assert.DoesNotContain("correct horse", server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Log, line => line.GetProperty("level").GetString() is "error");
    }

    [Fact]
    public async Task Groups_are_made_joined_and_left()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        await DoneAsync("user", "add", "alice", "--password-file", "password");
        Assert.Equal("Group 'dev' was added.\n", await DoneAsync("group", "add", "dev", "--description", "who develops"));
        Assert.Equal("User 'alice' is in group 'dev'.\n", await DoneAsync("group", "join", "dev", "alice"));
        Assert.Equal("admin\tenabled\t\nalice\tenabled\tdev\n", await DoneAsync("user", "list"));
        Assert.Equal("dev\twho develops\n", await DoneAsync("group", "list"));
        Assert.Equal("User 'alice' is not in group 'dev'.\n", await DoneAsync("group", "leave", "dev", "alice"));
        Assert.Equal("Group 'dev' was removed.\n", await DoneAsync("group", "remove", "dev"));
        Assert.Equal("", await DoneAsync("group", "list"));
    }

    [Fact]
    public async Task Programs_get_what_the_admin_api_gives_them()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        var added = JsonSerializer.Deserialize<JsonElement>(await DoneAsync("user", "add", "alice", "--password-file", "password", "--json"));
        Assert.Equal(["name", "enabled", "groups", "createdAt", "updatedAt"], added.EnumerateObject().Select(member => member.Name));
        var listed = JsonSerializer.Deserialize<JsonElement>(await DoneAsync("user", "list", "--json", "--prefix", "al"));
        Assert.Equal("alice", Assert.Single(listed.EnumerateArray()).GetProperty("name").GetString());
        Assert.Equal("[]\n", await DoneAsync("group", "list", "--json"));
    }

    [Fact]
    public async Task Without_a_server_the_first_command_makes_the_database_and_a_later_start_finds_its_users()
    {
        await DoneAsync("user", "add", "alice", "--password-file", "password");
        await using var server = await ServerProcess.StartAsync(_folder, "--anonymous", "none");
        (await server.Client.GetAsync("/v2/", Basic("alice", "correct horse battery"))).Expect(200);
        Assert.False(File.Exists(_folder.File("data/initial-admin-password")));
    }

    [Fact]
    public async Task A_password_is_taken_from_standard_input()
    {
        await using var shell = ChildProcess.Start(
            "sh",
            ["-c", $"printf 'correct horse battery\\n' | '{Programs.Require("dotnet")}' '{RepositoryRoot.ServerAssembly}' user add alice"],
            Variables(), _folder.Path);
        Assert.Equal("User 'alice' was added.\n", (await shell.WaitAsync(Patience)).OutputOrThrow());
        await using var server = await ServerProcess.StartAsync(_folder, "--anonymous", "none");
        (await server.Client.GetAsync("/v2/", Basic("alice", "correct horse battery"))).Expect(200);
    }

    [Theory]
    [InlineData("standard input", "user", "add", "alice")] // which is empty here
    [InlineData("--password-file is 'none'", "user", "add", "alice", "--password-file", "none")]
    [InlineData("8 characters", "user", "add", "alice", "--password-file", "short")]
    [InlineData("'a/b'", "user", "add", "a/b", "--password-file", "password")]
    [InlineData("'nobody'", "user", "remove", "nobody")]
    [InlineData("'nobody'", "user", "disable", "nobody")]
    [InlineData("'nothing'", "group", "remove", "nothing")]
    [InlineData("--password", "user", "add", "alice", "--password", "correct horse battery")]
    [InlineData("configuration file", "user", "list", "--config", "none.json")]
    public async Task What_cannot_be_done_is_said_in_one_line(string named, params string[] arguments)
    {
        await File.WriteAllTextAsync(_folder.File("short"), "short");
        var result = await RunAsync(arguments);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.StartsWith("registry: ", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.Contains(named, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_who_may_administer_stays_for_commands_too()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        foreach (var command in new[] { "remove", "disable" })
        {
            var result = await RunAsync("user", command, "admin");
            Assert.Equal(1, result.ExitCode);
            Assert.Contains("administer", result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_first_password_is_in_its_file_and_in_no_log() // S-23
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        var file = _folder.File("data/initial-admin-password");
        Assert.Contains(file, server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain((await File.ReadAllTextAsync(file)).Trim(), server.Output, StringComparison.Ordinal);
    }

    private async Task<string> DoneAsync(params string[] arguments) => (await RunAsync(arguments)).OutputOrThrow();

    private Task<CommandResult> RunAsync(params string[] arguments) => ServerProcess.RunAsync(_folder, _environment, arguments);

    private Dictionary<string, string> Variables()
    {
        var variables = new Dictionary<string, string>(_environment, StringComparer.Ordinal);
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } root)
            variables["DOTNET_ROOT"] = root;
        return variables;
    }

    private static async Task UntilAsync(ServerProcess server, (string, string) who, int status)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        while ((await server.Client.GetAsync("/v2/", who)).Status != status)
            await Task.Delay(700, deadline.Token); // failed logins are slowed down
    }
}
