using Registry.Web.Tests.Access;
using static Registry.Web.Tests.Access.ManagedRegistry;

namespace Registry.Web.Tests.Admin;

/// <summary>Rules in the database, and what is explained of all rules.</summary>
public sealed class RulesTests(ManagedRegistry managed) : IClassFixture<ManagedRegistry>
{
    private const string Rules = "/api/v1/rules";

    private readonly RegistryClient _client = managed.Client;

    [Fact]
    public async Task A_rule_counts_at_once_and_so_does_its_end()
    {
        (await _client.GetAsync("/v2/counted/a/tags/list", Bob)).ExpectError(403, "DENIED");
        var made = (await _client.SendJsonAsync("POST", Rules, Body("user:bob", "counted/**", "pull"), Master)).Expect(201).ExpectHeader("ETag", "\"1\"");
        var path = made.Location;
        Assert.Equal(
            ["id", "subject", "registry", "repositories", "actions", "effect", "createdAt", "updatedAt"],
            made.Json.EnumerateObject().Select(member => member.Name));
        (await _client.GetAsync("/v2/counted/a/tags/list", Bob)).Expect(404);

        (await _client.SendJsonAsync("PUT", path, Body("user:bob", "elsewhere/**", "pull"), Master, ("If-Match", "\"1\""))).Expect(200).ExpectHeader("ETag", "\"2\"");
        (await _client.GetAsync("/v2/counted/a/tags/list", Bob)).Expect(403);
        (await _client.GetAsync("/v2/elsewhere/a/tags/list", Bob)).Expect(404);
        (await _client.SendJsonAsync("PUT", path, Body("user:bob", "**", "delete"), Master, ("If-Match", "\"1\""))).ExpectProblem(412, "was changed meanwhile");
        (await _client.DeleteAsync(path, Master, ("If-Match", "\"1\""))).ExpectProblem(412, "was changed meanwhile");
        Assert.Contains("elsewhere/**", (await _client.GetAsync(path, Master)).Expect(200).Text, StringComparison.Ordinal);
        Assert.Contains("elsewhere/**", (await _client.GetAsync($"{Rules}?n=1000", Master)).Expect(200).Text, StringComparison.Ordinal);

        (await _client.DeleteAsync(path, Master, ("If-Match", "\"2\""))).Expect(204);
        (await _client.GetAsync("/v2/elsewhere/a/tags/list", Bob)).Expect(403);
        foreach (var (method, body) in new[] { ("GET", "{}"), ("DELETE", "{}"), ("PUT", Body("user:bob", "a", "pull")) })
            (await _client.SendJsonAsync(method, path, body, Master)).ExpectProblem(404, "does not exist");
    }

    [Fact]
    public async Task A_rule_that_denies_wins()
    {
        await managed.AllowAsync("user:bob", "denied/**", "pull");
        (await _client.SendJsonAsync("POST", Rules, """{ "subject": "user:bob", "repositories": [ "denied/x" ], "actions": [ "pull" ], "effect": "deny" }""", Master)).Expect(201);
        (await _client.GetAsync("/v2/denied/x/tags/list", Bob)).Expect(403);
        (await _client.GetAsync("/v2/denied/y/tags/list", Bob)).Expect(404);
    }

    [Theory]
    [InlineData("""{ "subject": "bob", "repositories": [ "**" ], "actions": [ "pull" ] }""", "Subject is 'bob'")]
    [InlineData("""{ "subject": "user:bob", "repositories": [ "A" ], "actions": [ "pull" ] }""", "Repositories has 'A'")]
    [InlineData("""{ "subject": "user:bob", "repositories": [ null ], "actions": [ "pull" ] }""", "Repositories")]
    [InlineData("""{ "subject": "user:bob", "repositories": [], "actions": [ "pull" ] }""", "Repositories is empty")]
    [InlineData("""{ "subject": "user:bob", "repositories": [ "**" ], "actions": [] }""", "Actions is empty")]
    [InlineData("""{ "subject": "user:bob", "repositories": [ "**" ], "actions": [ "pull", "1" ] }""", "Actions has '1'")]
    [InlineData("""{ "subject": "user:bob", "repositories": [ "**" ], "actions": [ "pull" ], "effect": "maybe" }""", "Effect is 'maybe'")]
    [InlineData("""{ "subject": "user:bob", "registry": "none", "repositories": [ "**" ], "actions": [ "pull" ] }""", "Registry:Registries does not have (default)")]
    [InlineData("""{ "id": "mine", "subject": "user:bob", "repositories": [ "**" ], "actions": [ "pull" ] }""", "id")] // S-13
    [InlineData("""{ "repositories": [ "**" ], "actions": [ "pull" ] }""", "missing")]
    public async Task What_is_no_rule_is_refused_in_the_words_of_the_configuration(string body, string named)
    {
        (await _client.SendJsonAsync("POST", Rules, body, Master)).ExpectProblem(400, named);
        (await _client.SendJsonAsync("PUT", $"{Rules}/none", body, Master)).ExpectProblem(400, named);
    }

    [Fact]
    public async Task It_is_explained_which_rule_decides()
    {
        var id = (await managed.AllowAsync("group:dev", "explained/**", "pull")).GetProperty("id").GetString();

        var stored = (await _client.GetAsync("/api/v1/explain?group=dev&group=ops&repository=explained/a&action=pull", Master)).Expect(200).Json;
        Assert.True(stored.GetProperty("allowed").GetBoolean());
        Assert.Equal($"rule {id}", stored.GetProperty("source").GetString());
        Assert.Equal("group:dev", stored.GetProperty("rule").GetProperty("subject").GetString());
        Assert.Equal("default", stored.GetProperty("registry").GetString());

        var configured = (await _client.GetAsync("/api/v1/explain?user=alice&repository=alice/a&action=push", Master)).Expect(200).Json;
        Assert.Equal("Registry:Access:Rules:1", configured.GetProperty("source").GetString());
        Assert.Equal("user:alice", configured.GetProperty("principal").GetString());

        var none = (await _client.GetAsync("/api/v1/explain?repository=explained/a&action=pull", Master)).Expect(200).Json;
        Assert.Equal((false, "anonymous"), (none.GetProperty("allowed").GetBoolean(), none.GetProperty("principal").GetString()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, none.GetProperty("rule").ValueKind);

        var robot = await managed.NewRobotAsync();
        Assert.False((await _client.GetAsync($"/api/v1/explain?robot={robot}&repository=a&action=pull", Master)).Expect(200).Json.GetProperty("allowed").GetBoolean());
    }

    [Theory]
    [InlineData("?user=alice&action=pull", 400, "repository")]
    [InlineData("?user=alice&repository=a", 400, "action")]
    [InlineData("?user=alice&repository=A&action=pull", 400, "'A'")]
    [InlineData("?user=alice&repository=a&action=own", 400, "'own'")]
    [InlineData("?user=stranger&repository=a&action=pull", 404, "User 'stranger'")]
    [InlineData("?user=a%00b&repository=a&action=pull", 404, "User")]
    [InlineData("?group=a%00b&repository=a&action=pull", 400, "no group")]
    [InlineData("?robot=none&repository=a&action=pull", 404, "Robot 'none'")]
    [InlineData("?robot=A&repository=a&action=pull", 400, "'A'")]
    [InlineData("?user=alice&robot=ci&repository=a&action=pull", 400, "not both")]
    public async Task What_cannot_be_explained_is_refused(string query, int status, string named)
        => (await _client.GetAsync($"/api/v1/explain{query}", Master)).ExpectProblem(status, named);

    [Theory]
    [InlineData("GET", "/api/v1/robots")]
    [InlineData("POST", "/api/v1/robots")]
    [InlineData("PATCH", "/api/v1/robots/ci")]
    [InlineData("DELETE", "/api/v1/robots/ci")]
    [InlineData("POST", "/api/v1/robots/ci/tokens")]
    [InlineData("GET", Rules)]
    [InlineData("POST", Rules)]
    [InlineData("PUT", $"{Rules}/x")]
    [InlineData("DELETE", $"{Rules}/x")]
    [InlineData("GET", "/api/v1/explain?user=master&repository=a&action=pull")]
    public async Task Only_who_may_administer_gets_as_far_as_that(string method, string path)
    {
        (await _client.SendJsonAsync(method, path, Body("user:bob", "**", "admin"), Bob)).Expect(403);
        (await _client.SendJsonAsync(method, path, Body("user:bob", "**", "admin"))).Expect(401);
        (await _client.SendJsonAsync(method, path, Body("user:bob", "**", "admin"), await managed.BearerAsync(Master, "registry:catalog:*"))).Expect(401);
    }

    private static string Body(string subject, string pattern, string action)
        => $$"""{ "subject": "{{subject}}", "repositories": [ "{{pattern}}" ], "actions": [ "{{action}}" ] }""";
}
