using System.Diagnostics;
using Registry.Testing.Processes;
using static Registry.Web.Tests.Access.Credentials;

namespace Registry.Web.Tests.Access;

/// <summary>Local users as clients meet them: a whole login, and how it ends.</summary>
public sealed class LocalUserTests
{
    private const string Password = "correct horse battery";

    [Fact]
    public async Task A_login_ends_with_its_user()
    {
        await using var registry = await StartAsync();
        var (client, admin, alice) = (registry.Client, AdminOf(registry), Basic("alice", Password));
        await AddAliceAsync(client, admin);

        // What docker login and push do.
        var challenge = (await client.GetAsync("/v2/")).Expect(401).Header("WWW-Authenticate")!;
        Assert.Contains("/token\"", challenge, StringComparison.Ordinal);
        var (token, refresh) = await LogInAsync(client, alice);
        (await AskAsync(client, Bearer(token))).Expect(200);
        (await PushAsync(client, "team/app", Bearer(token))).Expect(202);
        (await PushAsync(client, "other/app", Bearer(token))).Expect(401);
        (await RefreshAsync(client, refresh)).Expect(200);

        (await client.SendJsonAsync("PATCH", "/api/v1/users/alice", """{"enabled":false}""", admin)).Expect(200);

        // At once, on the node that was told.
        (await AskAsync(client, alice)).Expect(401);
        (await client.GetAsync("/token", alice, Host)).Expect(401);
        (await PushAsync(client, "team/app", Bearer(token))).Expect(401);
        (await RefreshAsync(client, refresh)).Expect(401);

        // And what has ended stays so when the user is let in again.
        (await client.SendJsonAsync("PATCH", "/api/v1/users/alice", """{"enabled":true}""", admin)).Expect(200);
        (await PushAsync(client, "team/app", Bearer(token))).Expect(401);
        (await RefreshAsync(client, refresh)).Expect(401);
        var (again, _) = await LogInAsync(client, alice);
        (await PushAsync(client, "team/app", Bearer(again))).Expect(202);
    }

    [Fact]
    public async Task Rights_come_and_go_with_a_group_also_for_a_token_that_is_there_already()
    {
        await using var registry = await StartAsync(
            ("Access:Rules:1:Subject", "group:ops"), ("Access:Rules:1:Repositories:0", "ops/**"), ("Access:Rules:1:Actions:0", "Push"));
        var (client, admin, alice) = (registry.Client, AdminOf(registry), Basic("alice", Password));
        await AddAliceAsync(client, admin);
        (await client.SendJsonAsync("POST", "/api/v1/groups", """{"name":"ops"}""", admin)).Expect(201);
        (await PushAsync(client, "ops/app", alice)).Expect(403);

        (await client.PutAsync("/api/v1/groups/ops/members/alice", null, admin)).Expect(204);
        (await PushAsync(client, "ops/app", alice)).Expect(202);
        var (token, _) = await LogInAsync(client, alice, "repository:ops/app:push");
        (await PushAsync(client, "ops/app", Bearer(token))).Expect(202);

        (await client.DeleteAsync("/api/v1/groups/ops/members/alice", admin)).Expect(204); // S-10
        (await PushAsync(client, "ops/app", alice)).Expect(403);
        (await PushAsync(client, "ops/app", Bearer(token))).Expect(401);
    }

    [PostgreSqlFact]
    [Trait(Backend.Trait, Backend.Own)]
    public async Task A_user_that_one_node_locks_out_is_nobody_on_another_within_5_seconds()
    {
        var database = await SharedPostgreSql.UseSchemaAsync($"users_{Guid.NewGuid():N}");
        using var secrets = new TemporaryFolder();
        await File.WriteAllTextAsync(secrets.Combine("password"), "the first password");
        (string, string?)[] shared =
        [
            ("Database:Kind", "PostgreSql"), ("Database:ConnectionString", database),
            ("Access:Admin:PasswordFile", secrets.Combine("password")),
        ];
        await using var one = await StartAsync([.. shared, ("Stores:one:Root", secrets.Combine("one")), ("Registries:default:Store", "one")]);
        await using var two = await StartAsync([.. shared, ("Stores:two:Root", secrets.Combine("two")), ("Registries:default:Store", "two")]);
        var (admin, alice) = (Basic("admin", "the first password"), Basic("alice", Password));
        await AddAliceAsync(one.Client, admin);
        Assert.False(File.Exists(Path.Combine(one.Data, "initial-admin-password")));

        await UntilAsync(two.Client, alice, status: 200);
        var (token, refresh) = await LogInAsync(two.Client, alice);
        (await AskAsync(two.Client, Bearer(token))).Expect(200);

        (await one.Client.SendJsonAsync("PATCH", "/api/v1/users/alice", """{"password":"another password"}""", admin)).Expect(200);
        var clock = Stopwatch.StartNew();
        // Whoever has the old password gets what he can as long as he can.
        var late = token;
        while ((await two.Client.GetAsync("/token", alice, Host)) is { Status: not 401 } answer)
        {
            // On a busy machine it may be 503 in between: too many checks of passwords wait.
            if (answer.Status == 200)
                late = answer.Json.GetProperty("token").GetString()!;
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), "The old password counts for too long.");
        }

        (await AskAsync(two.Client, alice)).Expect(401);
        (await RefreshAsync(two.Client, refresh)).Expect(401);
        foreach (var old in new[] { token, late })
        {
            (await AskAsync(one.Client, Bearer(old))).Expect(401);
            // A node may know the new password a moment before it knows that tokens have ended.
            while ((await AskAsync(two.Client, Bearer(old))).Status != 401)
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), "A token counts for too long.");
        }

        var (next, _) = await LogInAsync(two.Client, Basic("alice", "another password"));
        foreach (var node in new[] { one, two })
            (await AskAsync(node.Client, Bearer(next))).Expect(200);
    }

    // One name for all nodes, as a load balancer in front of them has it.
    private static readonly (string Name, string Value) Host = ("Host", "registry.example.com");

    private static Task<RegistryFactory> StartAsync(params (string Key, string? Value)[] settings)
        => RegistryFactory.StartWithAdminAsync(
        [
            ("Access:Anonymous", "None"), ("Access:Rules:0:Subject", "user:alice"), ("Access:Rules:0:Repositories:0", "team/**"),
            ("Access:Rules:0:Actions:0", "Pull"), ("Access:Rules:0:Actions:1", "Push"), .. settings,
        ]);

    private static async Task AddAliceAsync(RegistryClient client, (string, string) admin)
        => (await client.SendJsonAsync("POST", "/api/v1/users", $$"""{"name":"alice","password":"{{Password}}"}""", admin)).Expect(201);

    private static async Task<(string Token, string Refresh)> LogInAsync(
        RegistryClient client, (string, string) who, string scope = "repository:team/app:pull,push")
    {
        var answer = (await client.GetAsync($"/token?service=x&scope={scope}&offline_token=true", who, Host)).Expect(200).Json;
        return (answer.GetProperty("token").GetString()!, answer.GetProperty("refresh_token").GetString()!);
    }

    private static Task<Answer> RefreshAsync(RegistryClient client, string refresh)
        => client.PostAsync(
            "/token", System.Text.Encoding.ASCII.GetBytes($"grant_type=refresh_token&refresh_token={refresh}"),
            ("Content-Type", "application/x-www-form-urlencoded"), Host);

    private static Task<Answer> AskAsync(RegistryClient client, (string, string) who) => client.GetAsync("/v2/", who, Host);

    private static Task<Answer> PushAsync(RegistryClient client, string repository, (string, string) who)
        => client.PostAsync($"/v2/{repository}/blobs/uploads/", null, who, Host);

    private static async Task UntilAsync(RegistryClient client, (string, string) who, int status)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        while ((await client.GetAsync("/v2/", who)).Status != status)
            await Task.Delay(700, deadline.Token); // failed logins are slowed down
    }
}
