using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Tests.Upstreams;

/// <summary>What an upstream is shown, and when (Docker Registry v2 authentication).</summary>
public sealed class UpstreamSignInTests : UpstreamFixture
{
    private static readonly string Latest = ScriptedUpstream.ManifestPath("team/app", "latest");

    private ScriptedImage _image = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _image = Server.ServeImage("team/app", "latest");
    }

    [Fact]
    public async Task An_upstream_that_wants_nothing_is_shown_nothing()
    {
        Server.ServeTokens();
        var upstream = Upstream(AsUser);
        Value(await FindTagAsync(upstream));
        Value(await GetTagAsync(upstream));
        Assert.Equal(0, Server.Count("/token"));
        Assert.All(Server.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task A_token_is_got_once_it_is_asked_for_and_kept()
    {
        Server.RequireToken();
        var upstream = Upstream();
        Value(await FindTagAsync(upstream));
        Value(await GetTagAsync(upstream));
        using (Value(await OpenAsync(upstream, _image.Layer)))
            Assert.Equal(["HEAD", "GET", "HEAD", "GET", "GET"], Server.Requests.Select(request => request.Method));
        var asked = Server.Requests.Single(request => request.Path == "/token");
        Assert.Equal("?service=scripted&scope=repository%3Ateam%2Fapp%3Apull", asked.Query);
        Assert.Null(asked.Authorization);
        Assert.Equal([null, null, "Bearer token-1", "Bearer token-1", "Bearer token-1"], Server.Requests.Select(request => request.Authorization));
    }

    [Theory]
    [InlineData(100, 89, 95)]
    [InlineData(null, 49, 55)] // 60 seconds are meant
    [InlineData(4, 2, 4)]
    public async Task A_token_is_replaced_shortly_before_its_end(int? seconds, int before, int after)
    {
        Server.RequireToken();
        Server.TokenSeconds = seconds;
        var upstream = Upstream();
        Value(await FindTagAsync(upstream));
        Time.Advance(TimeSpan.FromSeconds(before));
        Value(await FindTagAsync(upstream));
        Assert.Equal(1, Server.Count("/token"));
        Time.Advance(TimeSpan.FromSeconds(after - before));
        Value(await FindTagAsync(upstream));
        Assert.Equal(2, Server.Count("/token"));
    }

    [Fact]
    public async Task A_kept_token_that_does_not_count_any_more_is_replaced()
    {
        Server.RequireToken();
        var upstream = Upstream();
        Value(await FindTagAsync(upstream));
        Server.Token = "all are void";
        Value(await FindTagAsync(upstream));
        Assert.Equal(2, Server.Count("/token"));
        Assert.Equal("Bearer token-2", Server.Requests[^1].Authorization);
    }

    [Fact]
    public async Task Who_need_a_token_at_the_same_time_get_it_together()
    {
        Server.RequireToken();
        var given = new TaskCompletionSource();
        Server.Route("/token", ScriptedUpstream.After(given.Task, ScriptedUpstream.Json("""{"token":"token-0","expires_in":300}""")));
        var upstream = Upstream();
        var asking = Enumerable.Range(0, 10).Select(_ => FindTagAsync(upstream)).ToList();
        await UntilAsync(() => Server.Count(Latest) == 10 && Server.Count("/token") > 0);
        given.SetResult();
        Assert.All(await Task.WhenAll(asking), found => Assert.Equal(_image.Manifest.Digest, Value(found)!.ToString()));
        Assert.Equal(1, Server.Count("/token"));
    }

    [Fact]
    public async Task Who_leaves_takes_the_token_from_nobody()
    {
        Server.RequireToken();
        var given = new TaskCompletionSource();
        Server.Route("/token", ScriptedUpstream.After(given.Task, ScriptedUpstream.Json("""{"token":"token-0"}""")));
        var upstream = Upstream();
        using var leaving = new CancellationTokenSource();
        var first = upstream.FindBlobAsync(Repository, DigestOf(_image.Layer), leaving.Token);
        await UntilAsync(() => Server.Count("/token") == 1);
        var second = upstream.FindBlobAsync(Repository, DigestOf(_image.Layer), CancellationToken.None);
        await UntilAsync(() => Server.Count(ScriptedUpstream.BlobPath("team/app", _image.Layer)) == 2);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        given.SetResult();
        Assert.Equal(_image.Layer.Bytes.Length, Value(await second));
        Assert.Equal(1, Server.Count("/token"));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task What_a_token_does_not_open_is_not_there(int status)
    {
        Server.RequireToken();
        var gate = Server.Gate;
        Server.Gate = async context =>
        {
            if (await gate(context))
                return true;
            if (context.Request.Path == "/token")
                return false;
            await ScriptedUpstream.Status(status, "WWW-Authenticate", $"Bearer realm=\"{Server.Url}/token\"")(context);
            return true;
        };
        var error = Error(await GetTagAsync(Upstream()));
        Assert.Equal((ErrorReason.NotFound, OciErrorCode.ManifestUnknown, true), (error.Reason, error.Code, error.MayExist));
        Assert.Equal((1, 2), (Server.Count("/token"), Server.Count(Latest)));
    }

    [Theory]
    [InlineData(401, ErrorReason.UpstreamFault)]
    [InlineData(403, ErrorReason.NotFound)]
    [InlineData(404, ErrorReason.UpstreamFault)]
    [InlineData(307, ErrorReason.UpstreamFault)]
    [InlineData(429, ErrorReason.TooOften)]
    [InlineData(500, ErrorReason.Unavailable)]
    public async Task A_token_server_that_gives_none_has_its_answer(int status, ErrorReason reason)
    {
        Server.RequireToken();
        Server.Route("/token", ScriptedUpstream.Status(status, "Location", "http://127.0.0.1:9/"));
        var upstream = Upstream();
        var error = Error(await GetTagAsync(upstream));
        Assert.Equal((reason, reason is ErrorReason.NotFound), (error.Reason, error.MayExist));
        Assert.Equal(reason == ErrorReason.TooOften ? 1 : 2, await AgainAsync());

        async Task<int> AgainAsync()
        {
            await GetTagAsync(upstream);
            return Server.Count("/token");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"token":""}""")]
    [InlineData("""{"token":5}""")]
    [InlineData("""{"token":"a\r\nX-Other: b"}""")]
    [InlineData("""{"token":"a b"}""")]
    [InlineData("""{"token":"\ud800"}""")]
    public async Task What_is_no_token_is_a_fault(string answer)
    {
        Server.RequireToken();
        Server.Route("/token", ScriptedUpstream.Json(answer));
        Assert.Equal(ErrorReason.UpstreamFault, Error(await GetTagAsync(Upstream())).Reason);
    }

    [Fact]
    public async Task The_user_is_named_to_the_token_server_alone()
    {
        Server.RequireToken("alice", Password);
        var upstream = Upstream(AsUser);
        Value(await GetTagAsync(upstream));
        Assert.Equal(ScriptedUpstream.BasicOf("alice", Password), Server.Requests.Single(request => request.Path == "/token").Authorization);
        Assert.Equal([null, "Bearer token-1"], Server.Requests.Where(request => request.Path != "/token").Select(request => request.Authorization));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Credentials_that_are_refused_are_a_fault_that_says_so_and_not_what_they_are(bool basic)
    {
        if (basic)
            Server.RequireBasic("alice", "another");
        else
            Server.RequireToken("alice", "another");
        var upstream = Upstream(AsUser);
        foreach (var _ in Enumerable.Range(0, 2))
        {
            var error = Error(await GetTagAsync(upstream));
            Assert.Equal(ErrorReason.UpstreamFault, error.Reason);
            Assert.Contains("the user's credentials", error.Message, StringComparison.Ordinal);
        }

        Assert.NotEmpty(Log.Lines);
        var secrets = new[] { Password, ScriptedUpstream.BasicOf("alice", Password)["Basic ".Length..] };
        Assert.All(Log.Lines.Append(Error(await GetTagAsync(upstream)).Message), line => Assert.All(
            secrets, secret => Assert.DoesNotContain(secret, line, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Credentials_that_are_refused_are_shown_again_after_a_while_that_grows(bool basic)
    {
        Require("another");
        var upstream = Upstream(AsUser);
        await ExpectAsync(shown: 1);
        foreach (var (seconds, shown) in new[] { (30, 2), (60, 3), (120, 4), (240, 5), (480, 6), (600, 7), (600, 8) })
        {
            Time.Advance(TimeSpan.FromSeconds(seconds - 1));
            await ExpectAsync(shown - 1);
            Time.Advance(TimeSpan.FromSeconds(1));
            await ExpectAsync(shown);
        }

        Require(Password);
        await ExpectAsync(shown: 8);
        Time.Advance(TimeSpan.FromMinutes(10));
        Value(await GetTagAsync(upstream));
        Assert.Equal(9, Shown());

        void Require(string password)
        {
            if (basic)
                Server.RequireBasic("alice", password);
            else
                Server.RequireToken("alice", password);
        }

        // Each is answered, the upstream is asked, and it sees no more failed logins.
        async Task ExpectAsync(int shown)
        {
            for (var tries = 0; tries < 2; tries++)
            {
                var asked = Server.Count(Latest);
                Assert.EndsWith("it refuses the user's credentials (Username).", Error(await GetTagAsync(upstream)).Message, StringComparison.Ordinal);
                Assert.True(Server.Count(Latest) > asked);
            }

            Assert.Equal(shown, Shown());
        }

        int Shown() => Server.Requests.Count(request => request.Authorization == ScriptedUpstream.BasicOf("alice", Password));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Credentials_that_have_changed_since_they_were_refused_are_shown_at_once(bool basic)
    {
        using var folder = new TemporaryFolder();
        var file = folder.Combine("password");
        await File.WriteAllTextAsync(file, "wrong\n");
        if (basic)
            Server.RequireBasic("alice", Password);
        else
            Server.RequireToken("alice", Password);
        var upstream = Upstream(settings => (settings.Username, settings.PasswordFile) = ("alice", file));
        Assert.Equal(ErrorReason.UpstreamFault, Error(await GetTagAsync(upstream)).Reason);

        await File.WriteAllTextAsync(file, Password);
        File.SetLastWriteTimeUtc(file, Time.Now.UtcDateTime.AddHours(-1));
        Time.Advance(TimeSpan.FromSeconds(2));
        Value(await GetTagAsync(upstream));
    }

    [Fact]
    public async Task A_token_that_a_user_is_refused_keeps_no_other_from_being_got()
    {
        Server.RequireToken("alice", Password);
        var other = Server.ServeImage("team/other", "latest").Manifest;
        var gate = Server.Gate;
        Server.Gate = async context =>
        {
            if (context.Request.Path != "/token" || !context.Request.Query["scope"].ToString().Contains("team/app", StringComparison.Ordinal))
                return await gate(context);
            await ScriptedUpstream.Status(403)(context);
            return true;
        };
        var upstream = Upstream(AsUser);
        foreach (var _ in Enumerable.Range(0, 3))
            Assert.Equal(ErrorReason.UpstreamFault, Error(await GetTagAsync(upstream)).Reason);
        Assert.Equal(1, Server.Count("/token"));
        Value(await upstream.GetManifestAsync(RepositoryName.Parse("team/other"), DigestOf(other), CancellationToken.None));
        Assert.Equal(2, Server.Count("/token"));

        Server.Gate = gate;
        Error(await GetTagAsync(upstream));
        Time.Advance(TimeSpan.FromSeconds(30));
        Value(await GetTagAsync(upstream));
        Assert.Equal(3, Server.Count("/token"));
    }

    [Fact]
    public async Task A_user_is_shown_when_asked_for_and_from_then_on()
    {
        Server.RequireBasic("alice", Password);
        var upstream = Upstream(AsUser);
        Value(await FindTagAsync(upstream));
        Value(await FindTagAsync(upstream));
        var basic = ScriptedUpstream.BasicOf("alice", Password);
        Assert.Equal([null, basic, basic], Server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task A_known_user_who_is_not_let_in_is_not_shown_it()
    {
        Server.RequireBasic("alice", Password);
        Server.Route(Latest, ScriptedUpstream.Status(403));
        Server.Route(ScriptedUpstream.ReferrersPath("team/app", _image.Manifest), ScriptedUpstream.Status(403));
        var upstream = Upstream(AsUser);
        var referrers = await upstream.ListReferrersAsync(Repository, DigestOf(_image.Manifest), CancellationToken.None);
        foreach (var error in new[] { Error(await FindTagAsync(upstream)), Error(await GetTagAsync(upstream)), Error(referrers) })
            Assert.Equal((ErrorReason.NotFound, true), (error.Reason, error.MayExist));
    }

    [Fact]
    public async Task The_password_is_as_its_file_has_it_now()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Combine("password");
        await File.WriteAllTextAsync(file, "old\n");
        Server.RequireBasic("alice", "old");
        var upstream = Upstream(settings => (settings.Username, settings.PasswordFile) = ("alice", file));
        Value(await FindTagAsync(upstream));

        await File.WriteAllTextAsync(file, "new\n");
        File.SetLastWriteTimeUtc(file, Time.Now.UtcDateTime.AddHours(-1));
        Server.RequireBasic("alice", "new");
        Time.Advance(TimeSpan.FromSeconds(2));
        Value(await FindTagAsync(upstream));
        Assert.DoesNotContain(Log.Lines, line => line.Contains("new", StringComparison.Ordinal));
    }

    [Fact]
    public void A_password_file_that_is_not_there_refuses_the_start()
        => Assert.Contains(
            "Registry:Registries:hub:PasswordFile",
            Assert.Throws<StartRefusedException>(() => Upstream(settings => (settings.Username, settings.PasswordFile) = ("alice", "/nowhere/password"))).Message,
            StringComparison.Ordinal);

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!condition())
            await Task.Delay(10, patience.Token);
    }
}
