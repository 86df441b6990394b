using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access.Workload;
using Registry.Infrastructure.Outbound;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Infrastructure.Tests.Access;

/// <summary>Tokens of CI systems and clusters, of an issuer that answers over HTTP.</summary>
public sealed class WorkloadProviderTests : IAsyncLifetime
{
    private const string Audience = "https://registry.example";

    private readonly ManualTime _time = new();
    private readonly StoredRevocations _stored = new();
    private readonly List<WorkloadProvider> _providers = [];
    private TestIssuer _issuer = null!;

    public static TheoryData<string, string> Missing => new()
    {
        { "\"exp\":", "\"exd\":" }, { "\"aud\":\"https://registry.example\"", "\"aud\":\"https://other.example\"" },
        { "\"aud\":\"https://registry.example\"", "\"aud\":[\"https://other.example\"]" },
        { "\"aud\":\"https://registry.example\"", "\"aud\":\"https://registry.example/\"" },
        { "\"aud\":\"https://registry.example\",", "" }, { "\"sub\":", "\"sud\":" }, { "\"sub\":\"", "\"sub\":\"\\n" },
        { "\"repository_owner\":\"octo-org\"", "\"repository_owner\":\"octo-orgs\"" },
        { "\"repository_owner\":\"octo-org\"", "\"repository_owner\":\"Octo-org\"" },
        { "\"repository_owner\":\"octo-org\"", "\"repository_owner\":[\"other\"]" },
        { "\"repository_owner\":\"octo-org\"", "\"repository_owner\":{\"octo-org\":1}" },
        { "\"repository_owner\":", "\"owner\":" }, { "refs/heads/main\"", "refs/heads/other\"" },
        { "refs/heads/main\"", "refs/heads/main\\n\"" },
    };

    public async Task InitializeAsync() => _issuer = await TestIssuer.StartAsync();

    public async Task DisposeAsync()
    {
        foreach (var provider in _providers)
            provider.Dispose();
        await _issuer.DisposeAsync();
    }

    [Theory]
    [InlineData("rsa")]
    [InlineData("ec")]
    public async Task A_token_of_github_actions_is_its_job(string key)
    {
        var provider = Provider(GitHub());
        var principal = await AcceptedAsync(provider, _issuer.Sign(GitHubClaims(), key));

        Assert.Equal("workload:github/repo:octo-org/octo-repo:ref:refs/heads/main", principal.Name);
        Assert.Equal(
            [
                principal.Name, "group:octo", "claim:repository=octo-org/octo-repo", "claim:ref=refs/heads/main",
                "claim:run_number=10",
            ],
            principal.Subjects.Select(subject => subject.Text));
        Assert.Null(principal.Account);
        Assert.Equal(_time.Now + TimeSpan.FromMinutes(5), principal.Until);
        Assert.Equal(principal, provider.Recall("anything", _issuer.Sign(GitHubClaims(), key)));
    }

    [Fact]
    public async Task A_token_of_gitlab_is_its_pipeline()
    {
        var settings = Settings();
        settings.Name = "{project_path}";
        settings.RequiredClaims["namespace_path"] = "my-group/**";
        settings.RequiredClaims["ref_protected"] = "true";
        settings.GroupsClaim = "groups_direct";

        var principal = await AcceptedAsync(Provider(settings), _issuer.Sign(Claims(
            """
            "sub":"project_path:my-group/sub/project:ref_type:branch:ref:main","project_path":"my-group/sub/project",
            "namespace_path":"my-group/sub","ref_protected":"true","groups_direct":["my-group/sub","dev",7,"\n"]
            """)));

        Assert.Equal("workload:127.0.0.1/my-group/sub/project", principal.Name);
        Assert.Equal(["group:my-group/sub", "group:dev", "group:7"], principal.Subjects.Skip(1).Select(subject => subject.Text));
    }

    [Fact]
    public async Task A_token_of_kubernetes_is_its_service_account_by_keys_of_a_file()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Combine("keys.json");
        await File.WriteAllTextAsync(file, _issuer.KeySet());
        var settings = new WorkloadSettings
        {
            Issuer = "https://kubernetes.default.svc.cluster.local", Id = "prod", Audience = Audience, KeysFile = file,
            Name = "{kubernetes.io/namespace}/{kubernetes.io/serviceaccount/name}",
        };
        settings.RequiredClaims["kubernetes.io/namespace"] = "ci";
        settings.Groups.Add(new() { Group = "clusters", Claim = "kubernetes.io/serviceaccount/name", Value = "build*" });
        var provider = Provider(settings);
        string Token(string space, string account, string key = "ec") => _issuer.Sign(
            Claims($$$"""
                "sub":"system:serviceaccount:{{{space}}}:{{{account}}}",
                "kubernetes.io":{"namespace":"{{{space}}}","serviceaccount":{"name":"{{{account}}}","uid":"1"}}
                """, settings.Issuer, $"[\"{Audience}\",\"https://kubernetes.default.svc\"]"), key);

        var principal = await AcceptedAsync(provider, Token("ci", "builder"));
        Assert.Equal(["workload:prod/ci/builder", "group:clusters"], principal.Subjects.Select(subject => subject.Text));
        await RefusedAsync(provider, Token("default", "builder"), "'kubernetes.io/namespace'");

        _issuer.Add("next", ECDsa.Create(ECCurve.NamedCurves.nistP256));
        await RefusedAsync(provider, Token("ci", "builder", "next"));
        _issuer.Published = ["next"];
        await File.WriteAllTextAsync(file, _issuer.KeySet());
        _time.Advance(TimeSpan.FromSeconds(1));
        await AcceptedAsync(provider, Token("ci", "builder", "next"));
        await RefusedAsync(provider, Token("ci", "builder"));

        await File.WriteAllTextAsync(file, "{}"); // what was read before stays in force
        _time.Advance(TimeSpan.FromSeconds(1));
        await AcceptedAsync(provider, Token("ci", "builder", "next"));
        Assert.Equal(0, _issuer.Requests);
    }

    [Theory]
    [InlineData(null, "is '")]
    [InlineData("", "no JWK set")]
    [InlineData("<html>", "no JWK set")]
    [InlineData("{\"keys\":[]}", "no key for RS256 or ES256")]
    [InlineData("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", "no key for RS256 or ES256")]
    public void A_file_of_keys_that_cannot_be_used_stops_the_start(string? content, string problem)
    {
        using var folder = new TemporaryFolder();
        var settings = Settings();
        settings.KeysFile = folder.Combine("keys.json");
        if (content is not null)
            File.WriteAllText(settings.KeysFile, content);
        using var provider = new WorkloadProvider([settings], _stored, _time, NullLogger<WorkloadProvider>.Instance);
        var refused = Assert.Throws<StartRefusedException>(provider.Open);
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
        Assert.Contains("Registry:Access:Workload:0:KeysFile", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Missing))]
    public async Task A_token_that_says_something_else_is_refused(string what, string instead)
    {
        var provider = Provider(GitHub());
        Assert.Contains(what, GitHubClaims(), StringComparison.Ordinal);
        await RefusedAsync(provider, _issuer.Sign(GitHubClaims().Replace(what, instead, StringComparison.Ordinal)));
        await AcceptedAsync(provider, _issuer.Sign(GitHubClaims()));
    }

    [Fact]
    public async Task A_token_counts_from_its_beginning_to_its_end()
    {
        var provider = Provider(Settings());
        string Token(long nbf, long iat, long exp) => _issuer.Sign(Claims(
            "\"sub\":\"a\"", times: $"\"nbf\":{At(nbf)},\"iat\":{At(iat)},\"exp\":{At(exp)}"));
        long At(long seconds) => _time.Now.ToUnixTimeSeconds() + seconds;

        await AcceptedAsync(provider, Token(30, 30, 60));
        await AcceptedAsync(provider, Token(-60, -60, 1));
        await RefusedAsync(provider, Token(31, 0, 60), "does not count yet");
        await RefusedAsync(provider, Token(0, 31, 60), "does not count yet");
        await RefusedAsync(provider, Token(-60, -60, 0), "has expired");
        await RefusedAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"", times: "\"nbf\":\"0\",\"exp\":9999999999")), "not count yet");
        await RefusedAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"", times: "\"iat\":0")), "has no end");
        await RefusedAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"", times: "\"exp\":\"9999999999\"")), "has no end");
        await RefusedAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"", times: "\"exp\":1e99")), "has no end");
    }

    [Fact]
    public async Task A_workload_that_was_revoked_needs_a_newer_token()
    {
        var provider = Provider(Settings());
        var token = _issuer.Sign(Claims("\"sub\":\"a\""));
        await AcceptedAsync(provider, token);
        _stored.Revoke("workload:127.0.0.1/a", _time.Now);
        await RefusedAsync(provider, token, "was revoked");
        await RefusedAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"", times: "\"exp\":9999999999")), "was revoked");
        await AcceptedAsync(provider, _issuer.Sign(Claims("\"sub\":\"b\"")));
        _time.Advance(TimeSpan.FromSeconds(1));
        await AcceptedAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("wonder")]
    [InlineData("a.b.c")]
    [InlineData("..")]
    public async Task What_is_no_token_is_somebody_elses_to_judge(string password)
        => Assert.Null((await Provider(Settings()).VerifyAsync("alice", password, CancellationToken.None)).Match<Principal?>(
            found => found, errors => throw new InvalidOperationException(errors[0].Message)));

    [Fact] // S-17
    public async Task A_token_of_another_issuer_is_somebody_elses_and_nobody_connects_to_that()
    {
        await using var other = await TestIssuer.StartAsync();
        var provider = Provider(Settings());
        foreach (var issuer in new[] { other.Issuer, _issuer.Issuer + "/", _issuer.Issuer.Replace("127", "128", StringComparison.Ordinal) })
        {
            var verified = await provider.VerifyAsync("x", other.Sign(Claims("\"sub\":\"a\"", issuer)), CancellationToken.None);
            Assert.True(verified.TryGet(out var principal, out _));
            Assert.Null(principal);
        }

        // With our issuer's name and another's key it is ours to refuse.
        await RefusedAsync(provider, other.Sign(Claims("\"sub\":\"a\"")));
        await RefusedAsync(provider, Jwt.Of("""{"alg":"none","kid":"rsa"}""", Claims("\"sub\":\"a\""), Jwt.Nothing));
        await RefusedAsync(
            provider, Jwt.Of($$"""{"alg":"RS256","kid":"x","jku":"{{other.Issuer}}/keys"}""", Claims("\"sub\":\"a\""), Jwt.Nothing));
        Assert.Equal(0, other.Requests);
    }

    [Fact]
    public async Task Two_clusters_of_one_name_are_told_apart_by_their_keys()
    {
        using var folder = new TemporaryFolder();
        await using var other = await TestIssuer.StartAsync();
        WorkloadSettings Of(string id, TestIssuer keys)
        {
            File.WriteAllText(folder.Combine(id), keys.KeySet());
            return new() { Issuer = "https://cluster", Id = id, Audience = Audience, KeysFile = folder.Combine(id) };
        }

        var provider = Provider(Of("one", _issuer), Of("two", other));
        Assert.Equal("workload:one/a", (await AcceptedAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"", "https://cluster")))).Name);
        Assert.Equal("workload:two/a", (await AcceptedAsync(provider, other.Sign(Claims("\"sub\":\"a\"", "https://cluster")))).Name);
    }

    [Fact]
    public async Task A_new_key_is_looked_up_once_and_made_up_ones_make_few_requests()
    {
        var provider = Provider(Settings());
        await AcceptedAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"")));
        var before = _issuer.Requests;
        Assert.Equal(2, before);
        _issuer.Add("new", RSA.Create(2048));
        var token = _issuer.Sign(Claims("\"sub\":\"a\""), "new");

        await RefusedAsync(provider, token); // keys were read just now
        Assert.Equal(before, _issuer.Requests);
        _time.Advance(TimeSpan.FromSeconds(5));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => AcceptedAsync(provider, token)));
        Assert.Equal(before + 2, _issuer.Requests);

        _time.Advance(TimeSpan.FromSeconds(5));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => RefusedAsync(
            provider, Jwt.Of($$"""{"alg":"RS256","kid":"{{i}}"}""", Claims("\"sub\":\"a\""), _ => new byte[256]))));
        Assert.Equal(before + 4, _issuer.Requests);

        // A key that is known makes none, however wrong the signature.
        _time.Advance(TimeSpan.FromSeconds(5));
        await RefusedAsync(provider, token[..^4] + "AAAA");
        Assert.Equal(before + 4, _issuer.Requests);
    }

    [Fact]
    public async Task A_key_that_was_withdrawn_counts_no_more_after_the_hour()
    {
        var provider = Provider(Settings());
        string Token() => _issuer.Sign(Claims("\"sub\":\"a\""));
        await AcceptedAsync(provider, Token());
        _issuer.Published = ["ec"];
        _time.Advance(TimeSpan.FromHours(1));

        await WaitForAsync(() => provider.Recall("x", Token()) is null);
        await RefusedAsync(provider, Token());
        await AcceptedAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\""), "ec"));
    }

    [Fact]
    public async Task While_the_issuer_is_down_its_keys_count_on_for_a_day()
    {
        var provider = Provider(Settings());
        string Token() => _issuer.Sign(Claims("\"sub\":\"a\""));
        await AcceptedAsync(provider, Token());
        _issuer.Instead = context => Status(context, 503);

        foreach (var _ in Enumerable.Range(0, 23))
        {
            _time.Advance(TimeSpan.FromHours(1));
            await AcceptedAsync(provider, Token());
        }

        var requests = _issuer.Requests;
        await WaitForAsync(() => _issuer.Requests >= requests);
        _time.Advance(TimeSpan.FromHours(1));
        await UnavailableAsync(provider, Token());

        _issuer.Instead = _ => Task.FromResult(false);
        _time.Advance(TimeSpan.FromSeconds(5));
        await AcceptedAsync(provider, Token());
    }

    [Fact]
    public async Task An_issuer_that_cannot_be_reached_stops_nothing_and_is_asked_again()
    {
        _issuer.Instead = context => Status(context, 500);
        var provider = Provider(Settings());
        await UnavailableAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"")));
        var before = _issuer.Requests;
        await UnavailableAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"")));
        Assert.Equal(before, _issuer.Requests); // not for each request

        _issuer.Instead = _ => Task.FromResult(false);
        _time.Advance(TimeSpan.FromSeconds(5));
        await AcceptedAsync(provider, _issuer.Sign(Claims("\"sub\":\"a\"")));
    }

    [Fact]
    public async Task A_slow_issuer_keeps_nobody_else_waiting()
    {
        var go = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        _issuer.Instead = async _ =>
        {
            asked.TrySetResult();
            await go.Task;
            return false;
        };
        var provider = Provider(Settings());
        await asked.Task;
        var token = _issuer.Sign(Claims("\"sub\":\"a\""));

        Assert.Null(provider.Recall("x", token)); // at once
        var waiting = provider.VerifyAsync("x", token, CancellationToken.None);
        using var gone = new CancellationTokenSource();
        var leaving = provider.VerifyAsync("x", token, gone.Token);
        Assert.True((await provider.VerifyAsync("alice", "wonder", CancellationToken.None)).TryGet(out var nobody, out _));
        Assert.Null(nobody);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        Assert.False(waiting.IsCompleted);

        go.SetResult(); // the one who went has taken nothing from the one who waits
        Assert.True((await waiting).TryGet(out var principal, out _));
        Assert.NotNull(principal);
    }

    [Theory] // S-17, S-18
    [InlineData("<html></html>", null)]
    [InlineData("", null)]
    [InlineData("[]", null)]
    [InlineData("{\"issuer\":\"https://other.example\",\"jwks_uri\":\"ISSUER/keys\"}", null)]
    [InlineData("{\"issuer\":\"ISSUER/\",\"jwks_uri\":\"ISSUER/keys\"}", null)]
    [InlineData("{\"issuer\":\"ISSUER\"}", null)]
    [InlineData("{\"issuer\":\"ISSUER\",\"jwks_uri\":\"/keys\"}", null)]
    [InlineData("{\"issuer\":\"ISSUER\",\"jwks_uri\":\"OTHER/keys\"}", null)]
    [InlineData("{\"issuer\":\"ISSUER\",\"jwks_uri\":\"https://HOST/keys\"}", null)]
    [InlineData("{\"issuer\":\"ISSUER\",\"jwks_uri\":\"http://user@HOST/keys\"}", null)]
    [InlineData("{\"issuer\":\"ISSUER\",\"jwks_uri\":\"file:///etc/passwd\"}", null)]
    [InlineData("{\"issuer\":\"ISSUER\",\"issuer\":\"ISSUER\",\"jwks_uri\":\"ISSUER/keys\"}", null)]
    [InlineData(null, "<html></html>")]
    [InlineData(null, "{\"keys\":{}}")]
    [InlineData(null, "{\"keys\":[1,null,{}]}")]
    [InlineData(null, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rsa\",\"n\":\"!\",\"e\":\"AQAB\"}]}")]
    [InlineData(null, "LONG")]
    public async Task An_issuer_that_answers_something_else_has_no_keys(string? configuration, string? keys)
    {
        await using var other = await TestIssuer.StartAsync();
        _issuer.Instead = async context =>
        {
            var instead = context.Request.Path == "/keys" ? keys : configuration;
            if (instead is null)
                return false;
            await context.Response.WriteAsync(instead == "LONG"
                ? _issuer.KeySet() + new string(' ', 300_000)
                : instead.Replace("ISSUER", _issuer.Issuer, StringComparison.Ordinal).Replace("OTHER", other.Issuer, StringComparison.Ordinal)
                    .Replace("HOST", new Uri(_issuer.Issuer).Authority, StringComparison.Ordinal));
            return true;
        };

        await UnavailableAsync(Provider(Settings()), _issuer.Sign(Claims("\"sub\":\"a\"")));
        Assert.Equal(0, other.Requests);
    }

    [Theory] // S-17
    [InlineData("/.well-known/openid-configuration")]
    [InlineData("/keys")]
    public async Task No_redirect_is_followed(string path)
    {
        await using var other = await TestIssuer.StartAsync();
        _issuer.Instead = context =>
        {
            if (context.Request.Path != path)
                return Task.FromResult(false);
            context.Response.Redirect(other.Issuer + path);
            return Task.FromResult(true);
        };

        await UnavailableAsync(Provider(Settings()), _issuer.Sign(Claims("\"sub\":\"a\"")));
        Assert.Equal(0, other.Requests);
    }

    [Fact] // S-17
    public async Task A_name_that_leads_to_this_machine_is_not_connected_to()
    {
        using var guarded = new DiscoveredKeys(_issuer.Issuer.Replace("127.0.0.1", "localhost", StringComparison.Ordinal), AddressGuard.IsPublic, _time, NullLogger.Instance);
        await guarded.LookAgainAsync(CancellationToken.None);
        Assert.Null(guarded.Known);
        Assert.Equal(0, _issuer.Requests);
    }

    [Fact]
    public async Task An_issuer_with_a_path_publishes_below_it()
    {
        await using var cluster = await TestIssuer.StartAsync("/id/AB12");
        var provider = Provider(new WorkloadSettings { Issuer = cluster.Issuer, Audience = Audience });
        await AcceptedAsync(provider, cluster.Sign(Claims("\"sub\":\"a\"", cluster.Issuer)));
    }

    private static Task<bool> Status(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.FromResult(true);
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(20); !condition() && DateTime.UtcNow < deadline;)
            await Task.Delay(20);
        Assert.True(condition());
    }

    private WorkloadSettings Settings() => new() { Issuer = _issuer.Issuer, Audience = Audience };

    private WorkloadSettings GitHub()
    {
        var settings = Settings();
        settings.Id = "github";
        settings.RequiredClaims["repository_owner"] = "octo-org";
        settings.RequiredClaims["sub"] = "repo:octo-org/*:ref:refs/heads/main";
        settings.Groups.Add(new() { Group = "octo", Claim = "repository", Value = "octo-org/*" });
        settings.Groups.Add(new() { Group = "none", Claim = "repository", Value = "*" });
        foreach (var claim in new[] { "repository", "ref", "run_number", "missing" })
            settings.Claims.Add(claim);
        return settings;
    }

    private string GitHubClaims() => Claims(
        """
        "sub":"repo:octo-org/octo-repo:ref:refs/heads/main","repository":"octo-org/octo-repo",
        "repository_owner":"octo-org","ref":"refs/heads/main","sha":"abc","run_number":10,"runner_environment":"github-hosted"
        """);

    private string Claims(string members, string? issuer = null, string audience = $"\"{Audience}\"", string? times = null)
    {
        var now = _time.Now.ToUnixTimeSeconds();
        times ??= $"\"nbf\":{now},\"iat\":{now},\"exp\":{now + 300}";
        return $$"""{"iss":"{{issuer ?? _issuer.Issuer}}","aud":{{audience}},{{times}},{{members}}}""";
    }

    private WorkloadProvider Provider(params WorkloadSettings[] settings)
    {
        var provider = new WorkloadProvider(settings, _stored, _time, NullLogger<WorkloadProvider>.Instance);
        _providers.Add(provider);
        provider.Open();
        return provider;
    }

    private static async Task<Principal> AcceptedAsync(WorkloadProvider provider, string token)
        => (await provider.VerifyAsync("oidc", token, CancellationToken.None)).Match(
            principal => principal ?? throw new InvalidOperationException("Nobody."),
            errors => throw new InvalidOperationException(errors[0].Message));

    private static async Task RefusedAsync(WorkloadProvider provider, string token, string why = "The token")
    {
        var verified = await provider.VerifyAsync("oidc", token, CancellationToken.None);
        Assert.False(verified.TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.Unauthenticated, errors[0].Reason);
        Assert.Contains(why, errors[0].Message, StringComparison.Ordinal);
        Assert.Null(provider.Recall("oidc", token));
    }

    private static async Task UnavailableAsync(WorkloadProvider provider, string token)
    {
        var verified = await provider.VerifyAsync("oidc", token, CancellationToken.None);
        Assert.False(verified.TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.Unavailable, errors[0].Reason);
        Assert.DoesNotContain(token, errors[0].Message, StringComparison.Ordinal);
    }

    private sealed class StoredRevocations : IStoredAccess
    {
        public ValueTask EnsureFreshAsync(CancellationToken cancellationToken) => default;

        public StoredAccess Current { get; private set; } = StoredAccess.Nothing;

        public void Revoke(string principal, DateTimeOffset time)
            => Current = Current with
            {
                RevokedBefore = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal) { [principal] = time },
            };
    }
}
