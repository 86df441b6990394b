using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Registry.Infrastructure;

namespace Registry.Web.Tests.Access;

/// <summary>Workloads sign in with a token of their issuer, over HTTP.</summary>
public sealed class WorkloadTests : IAsyncLifetime
{
    private readonly ShiftedTime _time = new();
    private TestIssuer _issuer = null!;
    private RegistryFactory? _registry;

    private RegistryClient Client => _registry!.Client;

    public async Task InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _registry = await StartAsync(
            [
                ("Access:Workload:0:RequiredClaims:repository_owner", "octo-org"),
                ("Access:Workload:0:Claims:0", "repository"),
                ("Access:Workload:0:Groups:0:Group", "octo"),
                ("Access:Workload:0:Groups:0:Claim", "repository_owner"),
                ("Access:Workload:0:Groups:0:Value", "octo-*"),
                .. Rule(0, "claim:repository=octo-org/app", "ci/app/**", "push", "overwrite"),
                .. Rule(1, "group:octo", "ci/**", "pull"),
                .. Rule(2, "workload:github/repo:octo-org/app:ref:refs/heads/main", "release/*", "push"),
                .. Rule(3, "user:repo:octo-org/app:ref:refs/heads/main", "other/*", "push"),
            ]);
    }

    public async Task DisposeAsync()
    {
        await ((IAsyncDisposable)_registry!).DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Theory]
    [InlineData("rsa")]
    [InlineData("ec")]
    public async Task A_job_pushes_with_its_token_as_the_password(string key)
    {
        foreach (var user in new[] { "oidc", "alice", "x y" })
        {
            var job = Basic(user, _issuer.Sign(Claims("octo-org/app"), key));
            await PushAsync(job, "ci/app/web");
            (await Client.GetAsync("/v2/ci/app/web/tags/list", job)).Expect(200);
            await PushAsync(job, $"release/{user[0]}{key}");
            foreach (var repository in new[] { "ci/lib/web", "other/x" })
                (await Client.PostAsync($"/v2/{repository}/blobs/uploads/", null, job)).ExpectError(403, "DENIED");
        }

        var other = Basic("oidc", _issuer.Sign(Claims("octo-org/lib"), key));
        (await Client.GetAsync("/v2/ci/app/web/tags/list", other)).Expect(200); // by the group
        (await Client.PostAsync("/v2/ci/app/web/blobs/uploads/", null, other)).ExpectError(403, "DENIED");
    }

    [Fact]
    public async Task A_job_gets_a_bearer_token_that_ends_with_its_own()
    {
        var job = Basic("oidc", _issuer.Sign(Claims("octo-org/app", seconds: 120)));
        var answer = (await Client.GetAsync("/token?offline_token=true&scope=repository:ci/app/web:pull,push", job)).Expect(200);
        Assert.InRange(answer.Json.GetProperty("expires_in").GetInt64(), 60, 120);
        Assert.False(answer.Json.TryGetProperty("refresh_token", out _));
        var bearer = ("Authorization", $"Bearer {answer.Json.GetProperty("token").GetString()}");

        await PushAsync(bearer, "ci/app/web");
        (await Client.PostAsync("/v2/release/a/blobs/uploads/", null, bearer)).ExpectError(401, "DENIED"); // not asked for
        var location = (await Client.PostAsync("/v2/ci/app/web/blobs/uploads/", null, bearer)).Expect(202).Location;

        _time.Offset = TimeSpan.FromSeconds(121);
        (await Client.GetAsync("/v2/ci/app/web/tags/list", bearer)).ExpectError(401, "UNAUTHORIZED");
        (await Client.GetAsync("/token", job)).ExpectError(401, "UNAUTHORIZED");

        // The next token of the same workload goes on with its upload; another workload does not. S-8
        (await Client.GetAsync(location, Basic("oidc", _issuer.Sign(Claims("octo-org/app", sub: "else"))))).Expect(404);
        (await Client.GetAsync(location, Basic("oidc", _issuer.Sign(Claims("octo-org/app"))))).Expect(204);
    }

    [Fact]
    public async Task A_token_in_a_form_is_as_good_as_in_the_header()
    {
        var form = $"grant_type=password&access_type=offline&username=oidc&password={_issuer.Sign(Claims("octo-org/app"))}&scope=repository:ci/app/web:push";
        var answer = (await Client.PostAsync(
            "/token", Encoding.ASCII.GetBytes(form), ("Content-Type", "application/x-www-form-urlencoded"))).Expect(200);
        Assert.False(answer.Json.TryGetProperty("refresh_token", out _));
    }

    [Fact]
    public async Task A_token_that_does_not_count_is_401_and_says_why_without_repeating_it()
    {
        (string Token, string Why)[] cases =
        [
            (_issuer.Sign(Claims("octo-org/app", owner: "evil")), "'repository_owner'"),
            (_issuer.Sign(Claims("octo-org/app", audience: "https://other")), "another audience"),
            (_issuer.Sign(Claims("octo-org/app", seconds: -1)), "has expired"),
            (_issuer.Sign(Claims("octo-org/app"))[..^8] + "AAAAAAAA", "signed by no key"),
            (Jwt.Of("""{"alg":"none","kid":"rsa"}""", Claims("octo-org/app"), Jwt.Nothing), "signed by no key"),
        ];
        foreach (var (token, why) in cases)
        {
            var answer = (await Client.GetAsync("/v2/", Basic("oidc", token))).ExpectError(401, "UNAUTHORIZED");
            Assert.Contains(why, answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(token.Split('.')[1], answer.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Failures_of_others_make_no_job_wait()
    {
        (await Client.GetAsync("/v2/", Basic("oidc", _issuer.Sign(Claims("octo-org/app"))))).Expect(200);
        var wrong = Basic("oidc", _issuer.Sign(Claims("octo-org/app", seconds: -1)));
        var statuses = new List<int>();
        for (var i = 0; i < 12; i++)
        {
            (await Client.GetAsync("/v2/", wrong)).Expect(401); // nobody guesses a signature
            statuses.Add((await Client.GetAsync("/v2/", Basic("oidc", $"guess {i}"))).Status);
        }

        Assert.Contains(429, statuses);
        (await Client.GetAsync("/v2/", Basic("oidc", _issuer.Sign(Claims("octo-org/app"))))).Expect(200);
    }

    [Theory]
    [InlineData("Issuer", "token.example", "Registry:Access:Workload:0:Issuer is 'token.example', which is no address")]
    [InlineData("Issuer", null, "Registry:Access:Workload:0:Issuer is '', which is no address")]
    [InlineData("Issuer", "ftp://token.example", "which is no address")]
    [InlineData("Issuer", "https://user@token.example", "which is no address")]
    [InlineData("Issuer", "https://token.example?a", "which is no address")]
    [InlineData("Issuer", "http://token.example", "keys are read over https")]
    [InlineData("Issuer", "http://10.0.0.1", "keys are read over https")]
    [InlineData("Audience", null, "Registry:Access:Workload:0:Audience is empty")]
    [InlineData("Id", "A/b", "Registry:Access:Workload:0:Id is 'A/b'")]
    [InlineData("Name", "ci", "Registry:Access:Workload:0:Name is 'ci', which has no claim in braces")]
    [InlineData("Name", "{a}{b}", "two claims with nothing between")]
    [InlineData("RequiredClaims:sub", "", "Registry:Access:Workload:0:RequiredClaims:sub is empty")]
    [InlineData("Groups:0:Claim", "a", "Registry:Access:Workload:0:Groups:0:Group is ''")]
    [InlineData("Claims:0", "a=b", "Registry:Access:Workload:0:Claims has 'a=b'")]
    [InlineData("KeysFile", "/nowhere/keys.json", "Registry:Access:Workload:0:KeysFile is '/nowhere/keys.json'")]
    [InlineData("Keys", "x", "Registry:Access:Workload:0:Keys is not a known setting")]
    public async Task A_setting_that_cannot_be_used_stops_the_start(string key, string? value, string problem)
    {
        var refused = await Assert.ThrowsAsync<StartRefusedException>(
            () => StartAsync([($"Access:Workload:0:{key}", value)]));
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_issuers_need_two_names()
    {
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => StartAsync(
            [("Access:Workload:1:Issuer", "https://a.example"), ("Access:Workload:1:Audience", "x"), ("Access:Workload:1:Id", "github")]));
        Assert.Contains("Registry:Access:Workload:1:Id is 'github' like that of another issuer", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_provider_without_an_issuer_stops_the_start()
    {
        var refused = await Assert.ThrowsAsync<StartRefusedException>(
            () => RegistryFactory.StartAsync(("Access:Providers:0", "Workload")));
        Assert.Contains("nothing is set under Registry:Access:Workload", refused.Message, StringComparison.Ordinal);
    }

    private Task<RegistryFactory> StartAsync((string, string?)[] settings) => RegistryFactory.StartAsync(
        services => services.AddSingleton<TimeProvider>(_time),
        [
            ("Access:Anonymous", "None"),
            ("Access:Workload:0:Issuer", _issuer.Issuer),
            ("Access:Workload:0:Id", "github"),
            ("Access:Workload:0:Audience", "https://registry.example"),
            .. settings,
        ]);

    private static IEnumerable<(string, string?)> Rule(int number, string subject, string glob, params string[] actions)
        =>
        [
            ($"Access:Rules:{number}:Subject", subject),
            ($"Access:Rules:{number}:Repositories:0", glob),
            .. actions.Select((action, i) => ($"Access:Rules:{number}:Actions:{i}", (string?)action)),
        ];

    private string Claims(
        string repository, string owner = "octo-org", string audience = "https://registry.example", int seconds = 300, string? sub = null)
    {
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        return $$"""
            {"iss":"{{_issuer.Issuer}}","aud":"{{audience}}","iat":{{now}},"nbf":{{now}},"exp":{{now + seconds}},
            "sub":"{{sub ?? $"repo:{repository}:ref:refs/heads/main"}}","repository":"{{repository}}","repository_owner":"{{owner}}"}
            """;
    }

    private async Task PushAsync((string, string) who, string repository)
    {
        var (config, layer) = (TestContent.Config(), TestContent.Layer());
        foreach (var blob in new[] { config, layer })
        {
            (await Client.PostAsync(
                $"/v2/{repository}/blobs/uploads/?digest={blob.Digest}", blob.Bytes, who,
                ("Content-Type", "application/octet-stream"))).Expect(201);
        }

        var manifest = ManifestBuilder.Image(config, layer).Build();
        (await Client.PutAsync(
            $"/v2/{repository}/manifests/v1", manifest.Bytes, who, ("Content-Type", manifest.MediaType))).Expect(201);
    }

    private static (string, string) Basic(string user, string password)
        => ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}");
}
