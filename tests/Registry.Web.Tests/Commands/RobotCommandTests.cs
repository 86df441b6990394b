using System.Text.Json;
using Registry.Testing.Processes;
using static Registry.Web.Tests.Access.Credentials;

namespace Registry.Web.Tests.Commands;

/// <summary><c>registry robot</c>, <c>token</c>, <c>rule</c> and <c>explain</c>, beside a server that runs.</summary>
public sealed class RobotCommandTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WorkFolder _folder = new("robots");
    private readonly Dictionary<string, string> _environment;

    public RobotCommandTests()
        => _environment = RegistryFactory.Backends(_folder.Path).ToDictionary(
            setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value!, StringComparer.Ordinal);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_robot_gets_a_rule_and_a_token_and_loses_them_while_the_server_runs()
    {
        await using var server = await ServerProcess.StartAsync(_folder, "--anonymous", "none");

        Assert.Equal("Robot 'ci' was added: it signs in as robot+ci.\n", await DoneAsync("robot", "add", "ci", "--description", "builds"));
        Assert.Equal("ci\tenabled\tbuilds\n", await DoneAsync("robot", "list"));
        var rule = (await DoneAsync("rule", "add", "robot:ci", "--repository", "team/**", "--action", "pull", "--action", "push")).Trim();
        Assert.Contains($"{rule}\tallow\trobot:ci\tpull,push\t*: team/**\n", await DoneAsync("rule", "list"), StringComparison.Ordinal);
        var secret = (await DoneAsync("token", "add", "--robot", "ci", "--days", "1", "--repository", "team/app", "--action", "push")).Trim();
        var robot = Basic("robot+ci", secret);

        await UntilAsync(server, "POST", "/v2/team/app/blobs/uploads/", robot, 202);
        (await server.Client.PostAsync("/v2/team/other/blobs/uploads/", null, robot)).Expect(403); // the token's limit
        Assert.Equal(
            $"robot:ci may push default:team/app: rule {rule} (allow robot:ci team/**)\n", await DoneAsync("explain", "--robot", "ci", "team/app", "push"));
        Assert.Equal("robot:ci may not delete default:team/app: no rule allows it\n", await DoneAsync("explain", "--robot", "ci", "team/app", "delete"));

        var id = secret.Split('_')[1];
        Assert.StartsWith($"{id}\trobot+ci\t", await DoneAsync("token", "list", "--robot", "ci"), StringComparison.Ordinal);
        var second = Basic("robot+ci", (await DoneAsync("token", "rotate", id)).Trim());
        await UntilAsync(server, "GET", "/v2/", robot, 401);
        (await server.Client.GetAsync("/v2/", second)).Expect(200);
        Assert.Equal("Robot 'ci' is disabled.\n", await DoneAsync("robot", "disable", "ci"));
        await UntilAsync(server, "GET", "/v2/", second, 401);
        Assert.Equal("Robot 'ci' is enabled.\n", await DoneAsync("robot", "enable", "ci"));
        await UntilAsync(server, "GET", "/v2/", second, 200);
        Assert.Equal($"Rule '{rule}' was removed.\n", await DoneAsync("rule", "remove", rule));
        await UntilAsync(server, "POST", "/v2/team/app/blobs/uploads/", second, 403);
        Assert.Equal($"Token '{id}' was revoked.\n", await DoneAsync("token", "revoke", id));
        await UntilAsync(server, "GET", "/v2/", second, 401);
        Assert.Equal("Robot 'ci' was removed.\n", await DoneAsync("robot", "remove", "ci"));
        Assert.Equal("", await DoneAsync("robot", "list"));
        Assert.DoesNotContain(secret, server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Programs_get_what_the_admin_api_gives_them()
    {
        await using var server = await ServerProcess.StartAsync(_folder, "--anonymous", "none");
        await DoneAsync("robot", "add", "ci");
        var robots = JsonSerializer.Deserialize<JsonElement>(await DoneAsync("robot", "list", "--json"));
        Assert.Equal("robot+ci", Assert.Single(robots.EnumerateArray()).GetProperty("login").GetString());
        var made = JsonSerializer.Deserialize<JsonElement>(await DoneAsync("token", "add", "--robot", "ci", "--json"));
        Assert.Equal(["secret", "token"], made.EnumerateObject().Select(member => member.Name));
        var tokens = await DoneAsync("token", "list", "--json");
        Assert.Contains(made.GetProperty("token").GetProperty("id").GetString()!, tokens, StringComparison.Ordinal);
        Assert.DoesNotContain(made.GetProperty("secret").GetString()!, tokens, StringComparison.Ordinal);
        var explained = JsonSerializer.Deserialize<JsonElement>(await DoneAsync("explain", "--group", "dev", "team/app", "pull", "--json"));
        Assert.False(explained.GetProperty("allowed").GetBoolean());
    }

    [Fact]
    public async Task Users_of_a_file_are_known_to_commands_and_one_that_cannot_be_used_is_named()
    {
        _environment["Registry__Access__Htpasswd__Path"] = _folder.File("htpasswd");
        await File.WriteAllTextAsync(_folder.File("htpasswd"), Htpasswd.Line("bob", "builder"));
        Assert.Equal("user:bob may not pull default:a: no rule allows it\n", await DoneAsync("explain", "--user", "bob", "a", "pull"));
        Assert.StartsWith("rgt_", await DoneAsync("token", "add", "--user", "bob"), StringComparison.Ordinal);
        Assert.Contains("\tbob (htpasswd)\t", await DoneAsync("token", "list", "--user", "bob"), StringComparison.Ordinal);

        File.Delete(_folder.File("htpasswd"));
        var result = await ServerProcess.RunAsync(_folder, _environment, "explain", "--user", "bob", "a", "pull");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Registry:Access:Htpasswd:Path is '", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("'UPPER' is no name of a robot", "robot", "add", "UPPER")]
    [InlineData("Robot 'none' does not exist", "robot", "remove", "none")]
    [InlineData("Robot 'none' does not exist", "token", "add", "--robot", "none")]
    [InlineData("User 'nobody' does not exist", "token", "add", "--user", "nobody")]
    [InlineData("--robot or --user", "token", "add")]
    [InlineData("not both", "token", "list", "--robot", "a", "--user", "b")]
    [InlineData("--days", "token", "add", "--robot", "none", "--days", "0")]
    [InlineData("Token 'none' does not exist", "token", "revoke", "none")]
    [InlineData("Rule 'none' does not exist", "rule", "remove", "none")]
    [InlineData("Subject is 'alice'", "rule", "add", "alice", "--repository", "**", "--action", "pull")]
    [InlineData("Actions has 'own'", "rule", "add", "user:alice", "--repository", "**", "--action", "own")]
    [InlineData("--repository", "rule", "add", "user:alice", "--action", "pull")]
    [InlineData("User 'nobody' does not exist", "explain", "--user", "nobody", "a", "pull")]
    [InlineData("'A'", "explain", "A", "pull")]
    [InlineData("--host is 'https://hub.example.com:5001'", "explain", "--host", "https://hub.example.com:5001", "a", "pull")]
    [InlineData("--host is 'hub:http'", "explain", "--host", "hub:http", "a", "pull")]
    [InlineData("--host is ''", "explain", "--host", "", "a", "pull")]
    public async Task What_cannot_be_done_is_refused_in_one_line(string problem, params string[] arguments)
    {
        var result = await ServerProcess.RunAsync(_folder, _environment, arguments);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.StartsWith("registry: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(problem, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    private static async Task UntilAsync(ServerProcess server, string method, string path, (string, string) by, int status)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while ((await server.Client.SendAsync(method, path, null, by)).Status != status)
            await Task.Delay(100, deadline.Token);
    }

    private async Task<string> DoneAsync(params string[] arguments)
        => (await ServerProcess.RunAsync(_folder, _environment, arguments)).OutputOrThrow();
}
