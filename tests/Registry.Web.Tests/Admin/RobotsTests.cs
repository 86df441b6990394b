using System.Globalization;
using Registry.Web.Tests.Access;
using static Registry.Web.Tests.Access.Credentials;
using static Registry.Web.Tests.Access.ManagedRegistry;

namespace Registry.Web.Tests.Admin;

public sealed class RobotsTests(ManagedRegistry managed) : IClassFixture<ManagedRegistry>
{
    private readonly RegistryClient _client = managed.Client;

    [Fact]
    public async Task A_robot_is_made_shown_changed_and_removed()
    {
        var made = (await _client.SendJsonAsync("POST", "/api/v1/robots", """{ "name": "shown", "description": "builds" }""", Master))
            .Expect(201).ExpectHeader("Location", "/api/v1/robots/shown");
        var (first, second) = (VersionOf(made), VersionOf(made) + 1);
        Assert.Equal(
            ["name", "login", "description", "enabled", "createdAt", "updatedAt"], made.Json.EnumerateObject().Select(member => member.Name));
        Assert.Equal("robot+shown", made.Json.GetProperty("login").GetString());
        (await _client.SendJsonAsync("POST", "/api/v1/robots", """{ "name": "shown" }""", Master)).ExpectProblem(409, "Robot 'shown'");

        var changed = (await _client.SendJsonAsync("PATCH", "/api/v1/robots/shown", """{ "enabled": false }""", Master, ("If-Match", $"\"{first}\"")))
            .Expect(200).ExpectHeader("ETag", $"\"{second}\"").Json;
        Assert.Equal(("builds", false), (changed.GetProperty("description").GetString(), changed.GetProperty("enabled").GetBoolean()));
        Assert.Equal(changed.GetRawText(), (await _client.GetAsync("/api/v1/robots/shown", Master)).Expect(200).ExpectHeader("ETag", $"\"{second}\"").Text);

        (await _client.DeleteAsync("/api/v1/robots/shown", Master, ("If-Match", $"\"{second}\""))).Expect(204);
        (await _client.GetAsync("/api/v1/robots/shown", Master)).ExpectProblem(404, "Robot 'shown'");
    }

    [Theory]
    [InlineData("\"{0}\"", -1)]
    [InlineData("\"{0}\"", 97)]
    [InlineData("W/\"{0}\"", 0)]
    [InlineData("{0}", 0)]
    [InlineData("nonsense", 0)]
    public async Task A_stale_version_changes_nothing(string form, long behind)
    {
        var name = await managed.NewRobotAsync();
        var path = $"/api/v1/robots/{name}";
        var current = VersionOf((await _client.SendJsonAsync("PATCH", path, """{ "description": "second" }""", Master)).Expect(200));
        var version = string.Format(CultureInfo.InvariantCulture, form, current + behind);
        (await _client.SendJsonAsync("PATCH", path, """{ "enabled": false }""", Master, ("If-Match", version))).ExpectProblem(412, name);
        (await _client.DeleteAsync(path, Master, ("If-Match", version))).ExpectProblem(412, name);
        Assert.True((await _client.GetAsync(path, Master)).Expect(200).ExpectHeader("ETag", $"\"{current}\"").Json.GetProperty("enabled").GetBoolean());
    }

    [Fact]
    public async Task The_version_of_one_that_was_removed_fits_no_namesake()
    {
        var name = await managed.NewRobotAsync();
        var path = $"/api/v1/robots/{name}";
        var version = (await _client.GetAsync(path, Master)).Expect(200).Header("ETag")!;
        (await _client.DeleteAsync(path, Master)).Expect(204);
        await Task.Delay(2); // versions begin with the millisecond
        (await _client.SendJsonAsync("POST", "/api/v1/robots", $$"""{ "name": "{{name}}" }""", Master)).Expect(201);

        (await _client.DeleteAsync(path, Master, ("If-Match", version))).ExpectProblem(412, name);
        (await _client.GetAsync(path, Master)).Expect(200);
    }

    private static long VersionOf(Answer answer)
        => long.Parse(answer.Header("ETag")!.Trim('"'), CultureInfo.InvariantCulture);

    [Fact]
    public async Task Robots_are_listed_in_pages()
    {
        var names = new List<string>();
        for (var i = 0; i < 3; i++)
            names.Add(await managed.NewRobotAsync());
        var all = new List<string>();
        for (string? next = ""; next is not null;)
        {
            var page = (await _client.GetAsync($"/api/v1/robots?n=2&last={next}", Master)).Expect(200).Json;
            all.AddRange(page.GetProperty("items").EnumerateArray().Select(robot => robot.GetProperty("name").GetString()!));
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(all.Order(StringComparer.Ordinal), all);
        Assert.Subset(all.ToHashSet(StringComparer.Ordinal), names.ToHashSet(StringComparer.Ordinal));
        (await _client.GetAsync("/api/v1/robots?n=x", Master)).ExpectProblem(400, "'x'");
    }

    [Theory]
    [InlineData("""{ "name": "UPPER" }""", "'UPPER' is no name of a robot")]
    [InlineData("""{ "name": "a", "description": "a\nb" }""", "one line")]
    [InlineData("""{ "name": "a", "enabled": true }""", "enabled")] // S-13
    [InlineData("""{ "name": "a", "version": 7 }""", "version")] // S-13
    [InlineData("""{ "name": "a", "isAdmin": true }""", "isAdmin")] // S-13
    [InlineData("{}", "missing")]
    [InlineData("[]", "body")]
    [InlineData("", "body")]
    public async Task What_is_no_robot_is_refused_with_the_place(string body, string named)
        => (await _client.SendJsonAsync("POST", "/api/v1/robots", body, Master)).ExpectProblem(400, named);

    [Fact]
    public async Task A_robot_pushes_with_its_token_by_Basic_and_by_Bearer()
    {
        var robot = await managed.NewRobotAsync();
        var (repository, tokens) = ($"{robot}/app", $"/api/v1/robots/{robot}/tokens");
        var (_, secret) = await managed.NewTokenAsync(tokens, Master);
        var basic = Basic($"robot+{robot}", secret);
        (await _client.PostAsync($"/v2/{repository}/blobs/uploads/", null, basic)).ExpectError(403, "DENIED"); // no rule yet
        await managed.AllowAsync($"robot:{robot}", $"{robot}/**", "pull", "push");

        (await _client.GetAsync("/v2/", basic)).Expect(200);
        await PushAsync(repository, "by-basic", basic);
        await PushAsync(repository, "by-bearer", await managed.BearerAsync(basic, $"repository:{repository}:pull,push"));

        (await _client.PostAsync("/v2/elsewhere/blobs/uploads/", null, basic)).ExpectError(403, "DENIED");
        (await _client.GetAsync("/v2/", Basic("alice", secret))).ExpectError(401, "UNAUTHORIZED");
        (await _client.GetAsync("/v2/", Basic(robot, secret))).ExpectError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task A_limited_token_is_refused_elsewhere_however_it_is_shown() // S-11
    {
        var robot = await managed.NewRobotAsync();
        await managed.AllowAsync($"robot:{robot}", $"{robot}/**", "pull", "push");
        var (_, secret) = await managed.NewTokenAsync(
            $"/api/v1/robots/{robot}/tokens", Master,
            $$"""{ "scope": [ { "repositories": [ "{{robot}}/app" ], "actions": [ "pull", "push" ] } ] }""");
        var basic = Basic($"robot+{robot}", secret);

        await PushAsync($"{robot}/app", "v1", basic);
        (await _client.PostAsync($"/v2/{robot}/other/blobs/uploads/", null, basic)).ExpectError(403, "DENIED");
        var bearer = await managed.BearerAsync(basic, $"repository:{robot}/other:pull,push");
        (await _client.PostAsync($"/v2/{robot}/other/blobs/uploads/", null, bearer)).Expect(401);
        Assert.DoesNotContain("other", (await _client.GetAsync("/v2/_catalog", basic)).Expect(200).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_ends_a_token_ends_its_bearer_and_refresh_tokens_at_once()
    {
        var robot = await managed.NewRobotAsync();
        await managed.AllowAsync($"robot:{robot}", $"{robot}/**", "pull");
        var tokens = $"/api/v1/robots/{robot}/tokens";
        foreach (var end in new[] { "revoke", "rotate", "disable", "remove" })
        {
            var (id, secret) = await managed.NewTokenAsync(tokens, Master);
            var basic = Basic($"robot+{robot}", secret);
            var got = (await _client.GetAsync($"/token?offline_token=true&service={_client.Address.Authority}", basic)).Expect(200).Json;
            var (bearer, refresh) = (Bearer(got.GetProperty("token").GetString()!), got.GetProperty("refresh_token").GetString()!);
            (await _client.GetAsync("/v2/", bearer)).Expect(200);
            (await RefreshAsync(refresh)).Expect(200);

            switch (end)
            {
                case "revoke":
                    (await _client.DeleteAsync($"{tokens}/{id}", Master)).Expect(204);
                    break;
                case "rotate":
                    (await _client.SendJsonAsync("POST", $"{tokens}/{id}/rotate", "{}", Master)).Expect(200);
                    break;
                case "disable":
                    (await _client.SendJsonAsync("PATCH", $"/api/v1/robots/{robot}", """{ "enabled": false }""", Master)).Expect(200);
                    break;
                default:
                    (await _client.DeleteAsync($"/api/v1/robots/{robot}", Master)).Expect(204);
                    break;
            }

            foreach (var credential in new[] { basic, bearer })
                Assert.Equal((end, 401), (end, (await _client.GetAsync("/v2/", credential)).Status));
            Assert.Equal((end, 401), (end, (await RefreshAsync(refresh)).Status));
            if (end == "disable")
                (await _client.SendJsonAsync("PATCH", $"/api/v1/robots/{robot}", """{ "enabled": true }""", Master)).Expect(200);
        }
    }

    [Fact]
    public async Task A_token_belongs_to_its_robot_and_is_found_under_no_other() // S-12
    {
        var (one, other) = (await managed.NewRobotAsync(), await managed.NewRobotAsync());
        var (id, _) = await managed.NewTokenAsync($"/api/v1/robots/{one}/tokens", Master);
        foreach (var (method, path) in new[] { ("GET", id), ("DELETE", id), ("POST", $"{id}/rotate") })
            (await _client.SendJsonAsync(method, $"/api/v1/robots/{other}/tokens/{path}", "{}", Master)).ExpectProblem(404, $"Token '{id}'");
        (await _client.GetAsync($"/api/v1/robots/{one}/tokens/{id}", Master)).Expect(200).ExpectHeader("ETag", "\"1\"");
        Assert.Single((await _client.GetAsync($"/api/v1/robots/{one}/tokens", Master)).Expect(200).Json.GetProperty("items").EnumerateArray());
        (await _client.GetAsync("/api/v1/robots/none/tokens", Master)).ExpectProblem(404, "Robot 'none'");
        (await _client.SendJsonAsync("POST", "/api/v1/robots/none/tokens", "{}", Master)).ExpectProblem(404, "Robot 'none'");
    }

    [Fact]
    public async Task A_robot_manages_no_tokens_and_nobodys_else()
    {
        var robot = await managed.NewRobotAsync();
        var (_, secret) = await managed.NewTokenAsync($"/api/v1/robots/{robot}/tokens", Master);
        var basic = Basic($"robot+{robot}", secret);
        (await _client.GetAsync("/api/v1/tokens", basic)).ExpectProblem(403, "administrators");
        (await _client.SendJsonAsync("POST", "/api/v1/tokens", "{}", basic)).ExpectProblem(403, "administrators");
        (await _client.GetAsync("/api/v1/robots", basic)).Expect(403);
    }

    private async Task PushAsync(string repository, string tag, (string, string) by)
    {
        var blob = TestContent.Config();
        (await _client.PostAsync(
            $"/v2/{repository}/blobs/uploads/?digest={blob.Digest}", blob.Bytes, by, ("Content-Type", "application/octet-stream"))).Expect(201);
        var manifest = ManifestBuilder.Image(blob).Annotation("tag", tag).Build();
        (await _client.PutAsync($"/v2/{repository}/manifests/{tag}", manifest.Bytes, by, ("Content-Type", manifest.MediaType))).Expect(201);
        (await _client.GetAsync($"/v2/{repository}/manifests/{tag}", by)).Expect(200);
    }

    private Task<Answer> RefreshAsync(string token)
        => _client.PostAsync(
            "/token", System.Text.Encoding.UTF8.GetBytes($"grant_type=refresh_token&service=x&refresh_token={token}"),
            ("Content-Type", "application/x-www-form-urlencoded"));
}
