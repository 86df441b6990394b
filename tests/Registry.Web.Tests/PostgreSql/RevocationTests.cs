using Registry.Testing.Processes;
using Registry.Web.Tests.Access;
using static Registry.Web.Tests.Access.Credentials;
using static Registry.Web.Tests.Access.ManagedRegistry;

namespace Registry.Web.Tests.PostgreSql;

/// <summary>What one node is told counts on another within five seconds.</summary>
[Trait(Backend.Trait, Backend.Own)]
public sealed class RevocationTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    [PostgreSqlFact]
    public async Task What_is_revoked_on_one_node_ends_on_the_other_in_time()
    {
        using var folder = new TemporaryFolder();
        var place = await SharedPostgreSql.UseSchemaAsync($"revocation_{Guid.NewGuid():N}");
        await using var first = await StartAsync(folder, place, "first");
        await using var second = await StartAsync(folder, place, "second");
        (await first.Client.SendJsonAsync("POST", "/api/v1/robots", """{ "name": "ci" }""", Master)).Expect(201);
        var made = (await first.Client.SendJsonAsync("POST", "/api/v1/robots/ci/tokens", "{}", Master)).Expect(201).Json;
        var robot = Basic("robot+ci", made.GetProperty("secret").GetString()!);
        // The other node has not looked yet, and asks.
        (await second.Client.GetAsync("/v2/", robot)).Expect(200);
        var bearer = Bearer((await second.Client.GetAsync("/token", robot)).Expect(200).Json.GetProperty("token").GetString()!);
        (await second.Client.GetAsync("/v2/", bearer)).Expect(200);
        var alice = Bearer((await second.Client.GetAsync("/token", Alice)).Expect(200).Json.GetProperty("token").GetString()!);
        (await second.Client.GetAsync("/v2/", alice)).Expect(200);

        var rule = (await first.Client.SendJsonAsync(
            "POST", "/api/v1/rules", """{ "subject": "user:bob", "repositories": [ "**" ], "actions": [ "pull" ] }""", Master)).Expect(201);
        (await first.Client.GetAsync("/v2/a/tags/list", Bob)).Expect(404);
        await UntilAsync(second, "/v2/a/tags/list", Bob, 404);

        // Whoever the provider still knows is stopped by a rule that denies, with whatever he shows.
        var token = Bearer((await second.Client.GetAsync("/token?scope=repository:a:pull", Bob)).Expect(200).Json.GetProperty("token").GetString()!);
        await UntilAsync(second, "/v2/a/tags/list", token, 404);
        var denial = (await first.Client.SendJsonAsync(
            "POST", "/api/v1/rules", """{ "subject": "user:bob", "repositories": [ "**" ], "actions": [ "pull" ], "effect": "deny" }""",
            Master)).Expect(201);
        await Task.WhenAll(UntilAsync(second, "/v2/a/tags/list", Bob, 403), UntilAsync(second, "/v2/a/tags/list", token, 401));
        (await first.Client.DeleteAsync(denial.Location, Master)).Expect(204);
        await UntilAsync(second, "/v2/a/tags/list", Bob, 404);

        (await first.Client.DeleteAsync($"/api/v1/robots/ci/tokens/{made.GetProperty("token").GetProperty("id").GetString()}", Master)).Expect(204);
        (await first.Client.DeleteAsync("/api/v1/sessions?principal=user:alice", Master)).Expect(200);
        (await first.Client.DeleteAsync(rule.Location, Master)).Expect(204);
        (await first.Client.GetAsync("/v2/", robot)).Expect(401);
        await Task.WhenAll(
            UntilAsync(second, "/v2/", robot, 401), UntilAsync(second, "/v2/", bearer, 401), UntilAsync(second, "/v2/", alice, 401),
            UntilAsync(second, "/v2/a/tags/list", Bob, 403));
    }

    private static async Task UntilAsync(RegistryFactory node, string path, (string, string) by, int status)
    {
        var began = TimeProvider.System.GetTimestamp();
        while ((await node.Client.GetAsync(path, by)).Status != status)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Limit, $"{path} was not {status} within {Limit}.");
            await Task.Delay(50);
        }
    }

    // Each with a store of its own: folders are for one node, and blobs are not what this is about.
    private static Task<RegistryFactory> StartAsync(TemporaryFolder folder, string place, string name)
        => ManagedRegistry.StartAsync(
            folder, RegistryFactory.OnPostgreSql(), ("Database:ConnectionString", place),
            ($"Stores:{name}:Root", folder.Combine(name)), ("Registries:default:Store", name));
}
