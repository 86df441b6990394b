using System.Text.Json;
using Registry.Web.Tests.Access;
using static Registry.Web.Tests.Access.Credentials;
using static Registry.Web.Tests.Access.ManagedRegistry;

namespace Registry.Web.Tests.Admin;

/// <summary>Access tokens that users make for themselves, and their sessions.</summary>
public sealed class TokensTests(ManagedRegistry managed) : IClassFixture<ManagedRegistry>
{
    private const string Tokens = "/api/v1/tokens";

    private readonly RegistryClient _client = managed.Client;

    [Fact]
    public async Task A_user_makes_a_token_whose_secret_is_told_once()
    {
        var made = (await _client.SendJsonAsync("POST", Tokens, """{ "description": "laptop", "expiresAt": "2099-01-01T00:00:00Z" }""", Alice))
            .Expect(201).ExpectHeader("ETag", "\"1\"").ExpectHeader("Cache-Control", "no-store");
        var (secret, token) = (made.Json.GetProperty("secret").GetString()!, made.Json.GetProperty("token"));
        Assert.Matches("^rgt_[0-9a-f]{20}_[0-9a-f]{64}$", secret);
        var path = $"{Tokens}/{token.GetProperty("id").GetString()}";
        made.ExpectHeader("Location", path);
        Assert.Equal(("alice", "htpasswd"), (token.GetProperty("user").GetString(), token.GetProperty("provider").GetString()));

        (await _client.GetAsync("/v2/", Basic("alice", secret))).Expect(200);
        (await _client.PostAsync("/v2/alice/app/blobs/uploads/", null, Basic("alice", secret))).Expect(202);
        (await _client.GetAsync("/v2/", Basic("bob", secret))).Expect(401);
        foreach (var list in new[] { path, Tokens })
        {
            var shown = (await _client.GetAsync(list, Alice)).Expect(200).Text;
            Assert.Contains("laptop", shown, StringComparison.Ordinal);
            Assert.DoesNotContain(secret.Split('_')[2], shown, StringComparison.Ordinal);
            Assert.DoesNotContain("hash", shown, StringComparison.OrdinalIgnoreCase); // S-15
        }
    }

    [Fact]
    public async Task Everybody_has_its_own_tokens_and_those_of_others_are_like_none() // S-12
    {
        var (id, _) = await managed.NewTokenAsync(Tokens, Alice);
        var missing = new string('0', id.Length);
        foreach (var (method, more) in new[] { ("GET", ""), ("DELETE", ""), ("POST", "/rotate") }) // S-12
        {
            var there = (await _client.SendJsonAsync(method, $"{Tokens}/{id}{more}", "{}", Bob)).ExpectProblem(404, $"Token '{id}'");
            var none = (await _client.SendJsonAsync(method, $"{Tokens}/{missing}{more}", "{}", Bob)).ExpectProblem(404, $"Token '{missing}'");
            Assert.Equal(none.Headers.Select(header => header.Key), there.Headers.Select(header => header.Key));
        }

        Assert.DoesNotContain(id, (await _client.GetAsync(Tokens, Bob)).Expect(200).Text, StringComparison.Ordinal);
        (await _client.GetAsync($"{Tokens}?all=true", Bob)).Expect(403);
        (await _client.GetAsync($"{Tokens}?all=maybe", Bob)).ExpectProblem(400, "maybe");
        Assert.DoesNotContain(id, (await _client.GetAsync(Tokens, Master)).Expect(200).Text, StringComparison.Ordinal);
        Assert.Contains(id, (await _client.GetAsync($"{Tokens}?all=true", Master)).Expect(200).Text, StringComparison.Ordinal);
        (await _client.GetAsync($"{Tokens}/{id}", Master)).Expect(200);
        (await _client.DeleteAsync($"{Tokens}/{id}", Master)).Expect(204);
        (await _client.GetAsync($"{Tokens}/{id}", Alice)).Expect(404);
    }

    [Fact]
    public async Task A_limited_credential_makes_no_token_and_an_unlimited_one_does() // S-11
    {
        var (_, limited) = await managed.NewTokenAsync(
            Tokens, Alice, """{ "scope": [ { "repositories": [ "alice/**" ], "actions": [ "pull" ] } ] }""");
        var (_, unlimited) = await managed.NewTokenAsync(Tokens, Alice, """{ "expiresAt": "2099-01-01T00:00:00Z" }""");
        var bearer = await managed.BearerAsync(Alice, "repository:alice/app:pull,push");

        (await _client.SendJsonAsync("POST", Tokens, "{}", Basic("alice", limited))).ExpectProblem(403, "limited");
        (await _client.GetAsync(Tokens, Basic("alice", limited))).ExpectProblem(403, "limited");
        (await _client.SendJsonAsync("POST", Tokens, "{}", bearer)).Expect(401);
        (await _client.GetAsync(Tokens, bearer)).Expect(401);
        (await _client.DeleteAsync("/api/v1/sessions", Basic("alice", limited))).ExpectProblem(403, "limited");
        var made = (await _client.SendJsonAsync("POST", Tokens, "{}", Basic("alice", unlimited))).Expect(201).Json.GetProperty("token");
        Assert.Equal("alice", made.GetProperty("user").GetString());
        Assert.Equal(2099, made.GetProperty("expiresAt").GetDateTimeOffset().Year);
    }

    [Fact]
    public async Task A_rotation_lets_both_secrets_count_for_a_while_and_wants_the_version_it_was_told()
    {
        var (id, first) = await managed.NewTokenAsync(Tokens, Alice);
        (await _client.SendJsonAsync("POST", $"{Tokens}/{id}/rotate", """{ "overlapSeconds": 60 }""", Alice, ("If-Match", "\"7\""))).ExpectProblem(412, id);
        var rotated = (await _client.SendJsonAsync("POST", $"{Tokens}/{id}/rotate", """{ "overlapSeconds": 60 }""", Alice, ("If-Match", "\"1\"")))
            .Expect(200).ExpectHeader("ETag", "\"2\"").ExpectHeader("Cache-Control", "no-store").Json;
        Assert.NotEqual(JsonValueKind.Null, rotated.GetProperty("token").GetProperty("previousSecretUntil").ValueKind);
        var second = rotated.GetProperty("secret").GetString()!;
        foreach (var secret in new[] { first, second })
            (await _client.GetAsync("/v2/", Basic("alice", secret))).Expect(200);

        (await _client.SendJsonAsync("POST", $"{Tokens}/{id}/rotate", "{}", Alice)).Expect(200);
        foreach (var secret in new[] { first, second })
            (await _client.GetAsync("/v2/", Basic("alice", secret))).Expect(401);
        (await _client.SendJsonAsync("POST", $"{Tokens}/{id}/rotate", """{ "overlapSeconds": 99999999 }""", Alice)).ExpectProblem(400, "overlap");
    }

    [Theory]
    [InlineData("""{ "user": "bob" }""", "user")] // S-13
    [InlineData("""{ "owner": "bob" }""", "owner")] // S-13
    [InlineData("""{ "robot": "ci" }""", "robot")] // S-13
    [InlineData("""{ "id": "0" }""", "id")] // S-13
    [InlineData("""{ "scope": [] }""", "Scope has 0 entries")]
    [InlineData("""{ "scope": [ { "repositories": [ "**" ], "actions": [ "everything" ] } ] }""", "'everything'")]
    [InlineData("""{ "scope": [ { "repositories": [ "**" ], "actions": [ "0" ] } ] }""", "'0'")]
    [InlineData("""{ "scope": [ { "registry": "none", "repositories": [ "**" ], "actions": [ "pull" ] } ] }""", "Registry is 'none'")]
    [InlineData("""{ "scope": [ { "subject": "everyone", "repositories": [ "**" ], "actions": [ "pull" ] } ] }""", "subject")]
    [InlineData("""{ "expiresAt": "2001-01-01T00:00:00Z" }""", "in the past")]
    [InlineData("""{ "expiresAt": "tomorrow" }""", "expiresAt")]
    public async Task What_is_no_token_is_refused_with_the_place(string body, string named)
        => (await _client.SendJsonAsync("POST", Tokens, body, Alice)).ExpectProblem(400, named);

    [Fact]
    public async Task A_body_that_is_too_large_is_not_read() // S-19
        => (await _client.SendJsonAsync("POST", Tokens, $$"""{ "description": "{{new string('x', 70_000)}}" }""", Alice)).Expect(413);

    [Fact]
    public async Task Sessions_are_shown_and_ended_by_their_owner_and_by_who_administers()
    {
        var (_, secret) = await managed.NewTokenAsync(Tokens, Bob);
        var got = (await _client.GetAsync("/token?offline_token=true", Bob)).Expect(200).Json;
        var bearer = Bearer(got.GetProperty("token").GetString()!);
        (await _client.GetAsync("/v2/", bearer)).Expect(200);
        var shown = (await _client.GetAsync("/api/v1/sessions", Bob)).Expect(200);
        Assert.Equal(["provider", "service", "issuedAt", "expiresAt"], Assert.Single(shown.Json.EnumerateArray()).EnumerateObject().Select(member => member.Name)); // S-15

        (await _client.GetAsync("/api/v1/sessions?principal=user:bob", Alice)).Expect(403); // S-12
        (await _client.DeleteAsync("/api/v1/sessions?principal=user:bob", Alice)).Expect(403);
        (await _client.DeleteAsync("/api/v1/sessions?principal=everyone", Master)).ExpectProblem(400, "everyone");
        Assert.Single((await _client.GetAsync("/api/v1/sessions?principal=user:bob", Master)).Expect(200).Json.EnumerateArray());
        var ended = (await _client.DeleteAsync("/api/v1/sessions?principal=user:bob", Master)).Expect(200).Json;
        Assert.Equal(("user:bob", 1), (ended.GetProperty("principal").GetString(), ended.GetProperty("refreshTokens").GetInt32()));

        (await _client.GetAsync("/v2/", bearer)).Expect(401);
        (await _client.PostAsync(
            "/token", System.Text.Encoding.UTF8.GetBytes($"grant_type=refresh_token&refresh_token={got.GetProperty("refresh_token").GetString()}"),
            ("Content-Type", "application/x-www-form-urlencoded"))).Expect(401);
        Assert.Empty((await _client.GetAsync("/api/v1/sessions", Bob)).Expect(200).Json.EnumerateArray());
        (await _client.GetAsync("/v2/", Basic("bob", secret))).Expect(200); // what it signs in with goes on counting
    }
}
