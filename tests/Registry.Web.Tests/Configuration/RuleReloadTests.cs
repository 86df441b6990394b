using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Registry.Testing.Processes;
using Registry.Web.Tests.Commands;

namespace Registry.Web.Tests.Configuration;

/// <summary>Access rules count as soon as the configuration has them; broken ones do not.</summary>
[Trait(Backend.Trait, Backend.Neither)]
public sealed class RuleReloadTests : IDisposable
{
    private static readonly (string, string) Alice
        = ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes("alice:wonder"))}");

    private readonly WorkFolder _folder = new("rules");

    public RuleReloadTests()
    {
        File.WriteAllText(_folder.File("htpasswd"), Htpasswd.Line("alice", "wonder"));
        Write("");
    }

    private string Settings => _folder.File("settings.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_rule_that_is_added_to_the_file_counts_within_seconds_and_one_that_is_taken_out_no_more()
    {
        await using var server = await StartAsync();
        (await PushAsync(server)).Expect(403);

        Write(Rule("user:alice", "team/**", "Pull", "Push"));
        await WaitUntilAsync(server, 202);
        Assert.Contains("1 access rules are in force", server.Output, StringComparison.Ordinal);

        Write(Rule("user:alice", "team/**", "Pull", "Push"), Rule("user:alice", "team/app", "Push", effect: "Deny"));
        await WaitUntilAsync(server, 403);

        Write("");
        await WaitUntilLoggedAsync(server, "0 access rules");
        (await server.Client.GetAsync("/v2/team/app/tags/list", Alice)).Expect(403);
    }

    [Theory]
    [InlineData("{ \"Registry\": { \"Access\": ")]
    [InlineData("{ \"Registry\": { \"Acess\": {} } }", "Registry:Acess")]
    [InlineData("{ \"Registry\": { \"Access\": { \"Rules\": [ { \"Subject\": \"mallory\", \"Repositories\": [ \"**\" ], \"Actions\": [ \"Push\" ] } ] } } }", "Registry:Access:Rules:0:Subject")]
    [InlineData("{ \"Registry\": { \"Access\": { \"Rules\": [ { \"Subject\": \"everyone\", \"Registry\": \"none\", \"Repositories\": [ \"**\" ], \"Actions\": [ \"Push\" ] } ] } } }", "Registry:Access:Rules:0:Registry")]
    [InlineData(null)] // the file is gone
    public async Task A_configuration_that_cannot_be_read_leaves_the_rules_in_force_and_is_told_once(
        string? content, params string[] named)
    {
        Write(Rule("user:alice", "team/**", "Push"));
        await using var server = await StartAsync();
        (await PushAsync(server)).Expect(202);

        if (content is null)
            File.Delete(Settings);
        else
            await File.WriteAllTextAsync(Settings, content);
        await WaitUntilLoggedAsync(server, "cannot be used");
        (await PushAsync(server)).Expect(202);
        var warning = Assert.Single(Warnings(server));
        Assert.All(named, text => Assert.Contains(text, warning, StringComparison.Ordinal));

        Write(Rule("user:alice", "elsewhere/**", "Push")); // good again
        await WaitUntilAsync(server, 403);
        Assert.Single(Warnings(server));
    }

    [Fact]
    public async Task A_link_that_is_turned_to_another_file_counts() // as Kubernetes replaces what it mounts
    {
        File.Move(Settings, _folder.File("first/settings.json"));
        File.CreateSymbolicLink(Settings, _folder.File("first/settings.json"));
        await using var server = await StartAsync();
        (await PushAsync(server)).Expect(403);

        await File.WriteAllTextAsync(_folder.File("second/settings.json"), Content(Rule("user:alice", "team/**", "Push")));
        File.SetLastWriteTimeUtc(_folder.File("second/settings.json"), new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        File.CreateSymbolicLink(_folder.File("turned"), _folder.File("second/settings.json"));
        File.Move(_folder.File("turned"), Settings, overwrite: true);

        await WaitUntilAsync(server, 202);
    }

    [Fact]
    public async Task The_environment_still_wins_over_the_file()
    {
        Write(Rule("user:alice", "team/**", "Push"));
        await using var server = await StartAsync(("Registry__Access__Rules__0__Subject", "user:bob"));

        Write(Rule("user:alice", "team/**", "Push"), Rule("user:alice", "other/**", "Push"));
        await WaitUntilLoggedAsync(server, "2 access rules");

        (await PushAsync(server)).Expect(403); // the first rule is bob's
        (await server.Client.PostAsync("/v2/other/app/blobs/uploads/", null, Alice)).Expect(202);
    }

    [Fact]
    public async Task In_an_application_the_rules_follow_its_configuration()
    {
        using var data = new TemporaryFolder();
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(RegistryFactory.Settings(
            data.Path, ("Access:Anonymous", "None"), ("Access:Htpasswd:Path", _folder.File("htpasswd"))));
        builder.Configuration.AddJsonFile(Settings, optional: false, reloadOnChange: false);
        RegistryFactory.Prepare(builder);
        builder.Services.AddRegistry(builder.Configuration);
        await using var application = builder.Build();
        application.MapRegistry();
        await application.StartAsync();
        using var client = new RegistryClient(RegistryFactory.AddressOf(application));
        (await client.PostAsync("/v2/team/app/blobs/uploads/", null, Alice)).Expect(403);

        Write(Rule("user:alice", "team/**", "Push"));
        ((IConfigurationRoot)builder.Configuration).Reload();

        (await client.PostAsync("/v2/team/app/blobs/uploads/", null, Alice)).Expect(202);
    }

    private async Task<ServerProcess> StartAsync(params (string Key, string Value)[] environment)
    {
        var port = LoopbackPort.Free();
        return await ServerProcess.StartAsync(
            _folder, ServerProcess.At(port),
            environment.ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal),
            "--config", Settings, "--port", port.ToString(CultureInfo.InvariantCulture));
    }

    private static Task<Answer> PushAsync(ServerProcess server)
        => server.Client.PostAsync("/v2/team/app/blobs/uploads/", null, Alice);

    private static async Task WaitUntilAsync(ServerProcess server, int status)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while ((await PushAsync(server)).Status != status)
            await Task.Delay(100, patience.Token);
    }

    private static async Task WaitUntilLoggedAsync(ServerProcess server, string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while (!server.Output.Contains(text, StringComparison.Ordinal))
            await Task.Delay(50, patience.Token);
    }

    private static string[] Warnings(ServerProcess server)
        => [.. server.Output.Split('\n').Where(line => line.Contains("cannot be used", StringComparison.Ordinal))];

    private void Write(params string[] rules) => File.WriteAllText(Settings, Content(rules));

    private string Content(params string[] rules)
        => $$"""
            { "Registry": { "Access": {
                "Anonymous": "None", "Htpasswd": { "Path": "{{_folder.File("htpasswd")}}" },
                "Rules": [ {{string.Join(',', rules.Where(rule => rule.Length > 0))}} ] } } }
            """;

    private static string Rule(string subject, string glob, string action, string? second = null, string effect = "Allow")
        => $$"""
            { "Subject": "{{subject}}", "Repositories": [ "{{glob}}" ], "Effect": "{{effect}}",
              "Actions": [ "{{action}}"{{(second is null ? "" : $", \"{second}\"")}} ] }
            """;
}
