using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Registry.Web.Tests.Proxies;

/// <summary>
/// What an upstream can do, one row each: what the client gets, and whether it is kept. What is kept is there when the
/// upstream is not any more.
/// </summary>
public sealed class UpstreamFaultTests : IAsyncLifetime
{
    private const string Name = "team/app";

    /// <summary>What the client gets. What breaks off is a 502 as long as nothing of it was sent.</summary>
    public enum Gets
    {
        All,
        Broken,
        NotFound,
        TooOften,
        BadGateway,
        Unavailable,
    }

    private static readonly TestContent Blob = TestContent.Random(300_000);
    private static readonly TestContent Other = TestContent.Random(300_000);
    private static readonly TestContent Manifest = ManifestBuilder.Index().Annotation("of", "the upstream").Build();

    private static readonly Dictionary<string, Func<TestContent, ScriptedUpstream, RequestDelegate[]>> Faults = new()
    {
        ["sends piece by piece"] = (content, _) => [Slowly(content)],
        ["cuts the body"] = (content, _) => [ScriptedUpstream.Cut(content, content.Bytes.Length / 3), ScriptedUpstream.Blob(content)],
        ["cuts the body and knows no ranges"] = (content, _) =>
            [ScriptedUpstream.Cut(content, content.Bytes.Length / 3), ScriptedUpstream.Blob(content, ranges: false)],
        ["cuts the body whenever asked"] = (content, _) => [ScriptedUpstream.Cut(content, 0)],
        ["sends other bytes"] = (content, _) => [ScriptedUpstream.Manifest(Other with { MediaType = content.MediaType }, content.Digest)],
        ["announces too little"] = (content, _) =>
            [ScriptedUpstream.Manifest(new(content.Bytes[..^1], content.MediaType), content.Digest)],
        ["does not say how long it is"] = (content, _) => [ScriptedUpstream.Unmeasured(content)],
        ["wants tokens from a foreign host"] = (_, upstream) =>
            [ScriptedUpstream.Challenge($"Bearer realm=\"http://127.0.0.2:{upstream.Address.Port}/token\",service=\"x\"")],
        ["wants a password that nobody has"] = (_, _) => [ScriptedUpstream.Challenge("Basic realm=\"x\"")],
        ["redirects"] = (content, upstream) =>
            [ScriptedUpstream.Redirect($"http://127.0.0.1:{upstream.Address.Port}/elsewhere")],
        ["redirects into a network that is not allowed"] = (_, _) => [ScriptedUpstream.Redirect("http://169.254.169.254/latest")],
        ["redirects in a circle"] = (content, _) => [context => ScriptedUpstream.Redirect(context.Request.Path)(context)],
        ["answers 404"] = (_, _) => [ScriptedUpstream.Status(404)],
        ["answers 429"] = (_, _) => [ScriptedUpstream.Status(429, "Retry-After", "7")],
        ["answers 500"] = (_, _) => [ScriptedUpstream.Status(500)],
        ["answers 403"] = (_, _) => [ScriptedUpstream.Status(403)],
        ["answers nothing"] = (_, _) => [ScriptedUpstream.Silence],
        ["hangs up"] = (_, _) => [ScriptedUpstream.HangUp],
    };

    private ScriptedUpstream _upstream = null!;
    private RegistryFactory _proxy = null!;

    public async Task InitializeAsync()
    {
        _upstream = await ScriptedUpstream.StartAsync();
        _proxy = await RegistryFactory.StartAsync(
            ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"), ("Registries:hub:Upstream", _upstream.Url),
            ("Registries:hub:Timeout", "00:00:04"), ("Registries:hub:TagTtl", "00:00:00"));
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory(DisplayName = "A blob, from an upstream that")]
    [InlineData("sends piece by piece", Gets.All, true)]
    [InlineData("cuts the body", Gets.All, true)]
    [InlineData("cuts the body and knows no ranges", Gets.All, true)]
    [InlineData("cuts the body whenever asked", Gets.Broken, false)]
    [InlineData("sends other bytes", Gets.Broken, false)]
    [InlineData("announces too little", Gets.Broken, false)]
    [InlineData("does not say how long it is", Gets.BadGateway, false)]
    [InlineData("wants tokens from a foreign host", Gets.BadGateway, false)]
    [InlineData("wants a password that nobody has", Gets.BadGateway, false)]
    [InlineData("redirects", Gets.All, true)]
    [InlineData("redirects into a network that is not allowed", Gets.BadGateway, false)]
    [InlineData("redirects in a circle", Gets.BadGateway, false)]
    [InlineData("answers 404", Gets.NotFound, false)]
    [InlineData("answers 403", Gets.BadGateway, false)]
    [InlineData("answers 429", Gets.TooOften, false)]
    [InlineData("answers 500", Gets.Unavailable, false)]
    [InlineData("answers nothing", Gets.Unavailable, false)]
    [InlineData("hangs up", Gets.Unavailable, false)]
    public async Task Of_a_blob(string fault, Gets gets, bool kept)
    {
        var path = ScriptedUpstream.BlobPath(Name, Blob);
        _upstream.Script(path, Faults[fault](Blob, _upstream));
        _upstream.Route("/elsewhere", ScriptedUpstream.Blob(Blob));

        Expect(gets, await PullAsync($"/v2/hub/{Name}/blobs/{Blob.Digest}"), Blob);
        await ExpectKeptAsync($"/v2/hub/{Name}/blobs/{Blob.Digest}", kept, Blob);
    }

    [Theory(DisplayName = "A manifest, from an upstream that")]
    [InlineData("sends piece by piece", Gets.All, true)]
    [InlineData("cuts the body", Gets.Unavailable, false)]
    [InlineData("sends other bytes", Gets.BadGateway, false)]
    [InlineData("announces too little", Gets.BadGateway, false)]
    [InlineData("does not say how long it is", Gets.All, true)]
    [InlineData("wants tokens from a foreign host", Gets.BadGateway, false)]
    [InlineData("redirects into a network that is not allowed", Gets.BadGateway, false)]
    [InlineData("answers 404", Gets.NotFound, false)]
    [InlineData("answers 403", Gets.BadGateway, false)]
    [InlineData("answers 429", Gets.TooOften, false)]
    [InlineData("answers 500", Gets.Unavailable, false)]
    [InlineData("answers nothing", Gets.Unavailable, false)]
    [InlineData("hangs up", Gets.Unavailable, false)]
    public async Task Of_a_manifest(string fault, Gets gets, bool kept)
    {
        foreach (var reference in new[] { "v1", Manifest.Digest })
            _upstream.Script(ScriptedUpstream.ManifestPath(Name, reference), Faults[fault](Manifest, _upstream));

        Expect(gets, await PullAsync($"/v2/hub/{Name}/manifests/{Manifest.Digest}"), Manifest);
        await ExpectKeptAsync($"/v2/hub/{Name}/manifests/{Manifest.Digest}", kept, Manifest);
    }

    [Theory(DisplayName = "A tag that was cached stays what it was, with a warning, when the upstream")]
    [InlineData("cuts the body whenever asked")]
    [InlineData("wants tokens from a foreign host")]
    [InlineData("redirects in a circle")]
    [InlineData("answers 403")]
    [InlineData("answers 404")]
    [InlineData("answers 429")]
    [InlineData("answers 500")]
    [InlineData("answers nothing")]
    [InlineData("hangs up")]
    public async Task Of_a_cached_tag(string fault)
    {
        _upstream.ServeManifest(Name, Manifest, "v1");
        Expect(Gets.All, await PullAsync($"/v2/hub/{Name}/manifests/v1"), Manifest);
        _upstream.Script(ScriptedUpstream.ManifestPath(Name, "v1"), Faults[fault](Manifest, _upstream));

        var stale = (await _proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v1")).Expect(200);
        Assert.Equal(Manifest.Bytes, stale.Body);
        Assert.StartsWith("299 - \"The upstream ", stale.Header("Warning"), StringComparison.Ordinal);
        (await _proxy.Client.HeadAsync($"/v2/hub/{Name}/manifests/v1")).Expect(200);
    }

    public static TheoryData<string> Refusals => [.. Refusing.Keys];

    private static readonly Dictionary<string, RequestDelegate> Refusing = new()
    {
        ["refuses it to a user whom it knows"] = WithBody(403, """{"errors":[{"code":"DENIED"}]}"""),
        ["gives a token and refuses it"] = context => ScriptedUpstream.Challenge(
            $"Bearer realm=\"http://{context.Request.Host}/token\",service=\"scripted\",scope=\"repository:{Name}:pull\"")(context),
        ["is not there, and something else answers 404"] = WithBody(404, "<html>default backend - 404</html>"),
        ["answers 404 and nothing else"] = ScriptedUpstream.Status(404),
    };

    [Theory(DisplayName = "A tag that was cached stays what it was, and the log says so once, when the upstream")]
    [MemberData(nameof(Refusals))]
    public async Task Of_a_cached_tag_that_is_not_shown(string refusal)
    {
        using var log = new RecordedLog();
        _upstream.ServeManifest(Name, Manifest, "v1");
        _upstream.RequireToken("robot", "robot-secret");
        await using var proxy = await StartAsUserAsync(log);
        await ExpectCachedAsync(warned: false);

        var open = _upstream.Gate;
        _upstream.Gate = async context =>
        {
            if (await open(context))
                return true;
            if (!context.Request.Path.StartsWithSegments("/v2", StringComparison.Ordinal))
                return false;
            await Refusing[refusal](context);
            return true;
        };
        for (var i = 0; i < 3; i++)
            await ExpectCachedAsync(warned: true);
        (await proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v2")).ExpectError(404, "MANIFEST_UNKNOWN");
        Assert.Equal("v1", (await proxy.Client.GetAsync($"/v2/hub/{Name}/tags/list")).Expect(200).Json
            .GetProperty("tags").EnumerateArray().Single().GetString());
        Assert.Single(log.Lines, line => line.Contains("The tag v1 of hub:", StringComparison.Ordinal));

        _upstream.Gate = open;
        for (var i = 0; i < 2; i++)
            await ExpectCachedAsync(warned: false);
        Assert.Single(log.Lines, line => line.Contains("The upstream answers for v1 of hub:", StringComparison.Ordinal));

        async Task ExpectCachedAsync(bool warned)
        {
            var answer = (await proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v1")).Expect(200);
            Assert.Equal(Manifest.Bytes, answer.Body);
            Assert.Equal(
                warned ? "299 - \"The upstream does not show this tag; this is what the tag was when it was asked last.\"" : null,
                answer.Header("Warning"));
        }
    }

    [Fact(DisplayName = "A cached tag goes once the upstream says in words that it has it no more, and not for a HEAD's 404")]
    public async Task Of_a_cached_tag_that_was_deleted()
    {
        _upstream.ServeManifest(Name, Manifest, "v1");
        await using var proxy = await StartAsUserAsync(log: null);
        (await proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v1")).Expect(200);

        var path = ScriptedUpstream.ManifestPath(Name, "v1");
        _upstream.Route(path, context => (HttpMethods.IsHead(context.Request.Method)
            ? ScriptedUpstream.Status(404)
            : ScriptedUpstream.Manifest(Manifest))(context));
        Assert.Null((await proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v1")).Expect(200).Header("Warning"));
        Assert.Equal(["GET", "HEAD", "GET"], Methods());

        _upstream.Route(path, WithBody(404, """{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"""));
        (await proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v1")).ExpectError(404, "MANIFEST_UNKNOWN");
        Assert.Equal(["GET", "HEAD", "GET", "HEAD", "GET"], Methods());
        Assert.Empty((await proxy.Client.GetAsync($"/v2/hub/{Name}/tags/list")).Expect(200).Json.GetProperty("tags").EnumerateArray());

        string[] Methods() => [.. _upstream.Requests.Where(request => request.Path == path).Select(request => request.Method)];
    }

    [Fact(DisplayName = "A user's credentials that are refused are not shown again for everybody who asks")]
    public async Task Of_refused_credentials()
    {
        _upstream.ServeManifest(Name, Manifest, "v1");
        _upstream.RequireToken("robot", "robot-secret");
        await using var proxy = await StartAsUserAsync(log: null);
        (await proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v1")).Expect(200);
        _upstream.RequireToken("robot", "another");
        _upstream.Token = "none that was given";

        for (var i = 0; i < 4; i++)
        {
            var stale = (await proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v1")).Expect(200);
            Assert.StartsWith("299 - \"The upstream ", stale.Header("Warning"), StringComparison.Ordinal);
            var refusal = (await proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v{i + 2}")).ExpectError(502, "UNAVAILABLE");
            Assert.Contains("refuses the user's credentials (Username)", refusal.Text, StringComparison.Ordinal);
        }

        Assert.Equal(2, _upstream.Count("/token")); // once with the password that was right
    }

    [Fact(DisplayName = "S-4 S-17 Credentials are shown to the upstream alone, and a foreign realm is not even asked")]
    public async Task Credentials()
    {
        await using var stranger = await ScriptedUpstream.StartAsync();
        stranger.ServeBlob(Name, Blob);
        stranger.ServeTokens();
        _upstream.RequireBasic("robot", "robot-secret");
        _upstream.Route(
            ScriptedUpstream.BlobPath(Name, Blob), ScriptedUpstream.Redirect(stranger.Url + ScriptedUpstream.BlobPath(Name, Blob)));
        _upstream.Route(
            ScriptedUpstream.BlobPath(Name, Other), ScriptedUpstream.Challenge($"Bearer realm=\"{stranger.Url}/token\",service=\"x\""));
        await using var proxy = await RegistryFactory.StartAsync(
            ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"), ("Registries:hub:Upstream", _upstream.Url),
            ("Registries:hub:Username", "robot"), ("Registries:hub:Password", "robot-secret"),
            ("Registries:hub:AllowedNetworks:0", "127.0.0.0/8"));

        Assert.Equal(Blob.Bytes, (await proxy.Client.GetAsync($"/v2/hub/{Name}/blobs/{Blob.Digest}")).Expect(200).Body);
        var refusal = (await proxy.Client.GetAsync($"/v2/hub/{Name}/blobs/{Other.Digest}")).Expect(502);
        Assert.Contains(stranger.Address.Authority, refusal.Text, StringComparison.Ordinal);

        Assert.Contains(_upstream.Requests, request => request.Authorization is not null);
        Assert.Single(stranger.Requests);
        Assert.DoesNotContain(stranger.Requests, request => request.Authorization is not null);
    }

    [Fact(DisplayName = "An upstream that asks for rest is not asked until it is over")]
    public async Task Rest()
    {
        _upstream.Route(ScriptedUpstream.BlobPath(Name, Blob), ScriptedUpstream.Status(429, "Retry-After", "60"));
        for (var i = 0; i < 5; i++)
        {
            var refusal = (await _proxy.Client.GetAsync($"/v2/hub/{Name}/blobs/{Blob.Digest}")).ExpectError(429, "TOOMANYREQUESTS");
            Assert.InRange(int.Parse(refusal.Header("Retry-After")!), 1, 60);
        }

        (await _proxy.Client.GetAsync($"/v2/hub/{Name}/manifests/v1")).ExpectError(429, "TOOMANYREQUESTS");
        Assert.Single(_upstream.Requests);
    }

    private static void Expect(Gets gets, (int Status, byte[]? Body) got, TestContent content)
    {
        if (gets is Gets.Broken && got.Status == 200)
        {
            Assert.Null(got.Body);
            return;
        }

        Assert.Equal(
            gets switch
            {
                Gets.All => 200,
                Gets.NotFound => 404,
                Gets.TooOften => 429,
                Gets.BadGateway or Gets.Broken => 502,
                _ => 503,
            },
            got.Status);
        if (gets is Gets.All)
            Assert.Equal(content.Bytes, got.Body);
    }

    // It is kept soon after the client has it. What is not kept never will be: the upstream is silenced first.
    private async Task ExpectKeptAsync(string path, bool kept, TestContent content)
    {
        var until = DateTime.UtcNow.AddSeconds(30);
        _upstream.Gate = async context =>
        {
            await ScriptedUpstream.Status(500)(context);
            return true;
        };
        while (true)
        {
            var (status, body) = await PullAsync(path);
            if (!kept)
            {
                Assert.NotEqual(200, status);
                return;
            }

            if (status == 200)
            {
                Assert.Equal(content.Bytes, body);
                return;
            }

            Assert.True(DateTime.UtcNow < until, $"{path} was not kept: {status}");
            await Task.Delay(50);
        }
    }

    // Without a body when it breaks off.
    private async Task<(int Status, byte[]? Body)> PullAsync(string path)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
        using var answer = await http.GetAsync(new Uri(_proxy.Address, path), HttpCompletionOption.ResponseHeadersRead);
        try
        {
            return ((int)answer.StatusCode, await answer.Content.ReadAsByteArrayAsync());
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return ((int)answer.StatusCode, null);
        }
    }

    private Task<RegistryFactory> StartAsUserAsync(RecordedLog? log)
        => RegistryFactory.StartAsync(
            services =>
            {
                if (log is not null)
                    services.AddSingleton<ILoggerProvider>(log);
            },
            ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"), ("Registries:hub:Upstream", _upstream.Url),
            ("Registries:hub:Username", "robot"), ("Registries:hub:Password", "robot-secret"),
            ("Registries:hub:TagTtl", "00:00:00"), ("Registries:hub:NegativeTtl", "00:00:00"));

    private static RequestDelegate WithBody(int status, string body)
        => context =>
        {
            context.Response.StatusCode = status;
            return ScriptedUpstream.Json(body, "text/plain")(context);
        };

    private static RequestDelegate Slowly(TestContent content)
        => async context =>
        {
            context.Response.ContentType = content.MediaType;
            context.Response.Headers["Docker-Content-Digest"] = content.Digest;
            context.Response.ContentLength = content.Bytes.Length;
            foreach (var piece in content.Bytes.Chunk(Math.Max(1, content.Bytes.Length / 20)))
            {
                await context.Response.Body.WriteAsync(piece);
                await context.Response.Body.FlushAsync();
                await Task.Delay(10);
            }
        };
}
