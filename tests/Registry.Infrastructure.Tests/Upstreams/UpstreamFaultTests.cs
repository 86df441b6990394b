using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Registry.Application.Proxies;
using Registry.Domain.Errors;
using Registry.Testing.Processes;

namespace Registry.Infrastructure.Tests.Upstreams;

/// <summary>What each question is answered with when the upstream does something else than it should.</summary>
public sealed class UpstreamFaultTests : UpstreamFixture
{
    private const string NotFound = nameof(ErrorReason.NotFound);
    private const string Fault = nameof(ErrorReason.UpstreamFault);
    private const string Unavailable = nameof(ErrorReason.Unavailable);
    private const string TooOften = nameof(ErrorReason.TooOften);
    private const string Good = "";
    private const string Unsaid = "null";
    private const string Denied = "denied";

    private static readonly TestContent Page = TestContent.Text("<html></html>", "text/html");

    private static readonly Dictionary<string, RequestDelegate> Faults = new(StringComparer.Ordinal)
    {
        ["404"] = ScriptedUpstream.Status(404),
        ["404 NAME_UNKNOWN"] = NotFoundSaying("""{"errors":[{"code":"NAME_UNKNOWN"}]}"""),
        ["404 NOT_FOUND"] = NotFoundSaying("""{"errors":[{"code":"OTHER"},{"code":"NOT_FOUND"}]}"""),
        ["404 of another code"] = NotFoundSaying("""{"errors":[{"code":"DENIED"}]}"""),
        ["404 of no code"] = NotFoundSaying("""{"errors":[5,{},{"code":null},{"code":"\ud800"}]}"""),
        ["404 of no registry"] = NotFoundSaying("<html>default backend - 404</html>"),
        ["404 that breaks off"] = context =>
        {
            context.Response.StatusCode = 404;
            return ScriptedUpstream.Cut(TestContent.Text("""{"errors":[{"code":"NAME_UNKNOWN"}]}"""), 30)(context);
        },
        ["404 without end"] = NotFoundSaying($$"""{"errors":[{"code":"NAME_UNKNOWN","message":"{{new string('x', 70_000)}}"}]}"""),
        ["401 without a challenge"] = ScriptedUpstream.Status(401),
        ["401 with nonsense"] = ScriptedUpstream.Challenge("Bearer realm=\"nowhere"),
        ["401 for users"] = ScriptedUpstream.Challenge("Basic realm=\"x\""),
        ["401 with a foreign realm"] = ScriptedUpstream.Challenge("Bearer realm=\"http://127.0.0.1:9/token\""),
        ["403"] = ScriptedUpstream.Status(403),
        ["400"] = ScriptedUpstream.Status(400),
        ["405"] = ScriptedUpstream.Status(405),
        ["204"] = ScriptedUpstream.Status(204),
        ["429"] = ScriptedUpstream.Status(429, "Retry-After", "7"),
        ["500"] = ScriptedUpstream.Status(500),
        ["501"] = ScriptedUpstream.Status(501),
        ["503"] = ScriptedUpstream.Status(503),
        ["hangs up"] = ScriptedUpstream.HangUp,
        ["is silent"] = ScriptedUpstream.Silence,
        ["redirects to itself"] = context => ScriptedUpstream.Redirect(context.Request.Path)(context),
        ["redirects to nowhere"] = ScriptedUpstream.Status(307),
        ["redirects to a file"] = ScriptedUpstream.Redirect("file:///etc/passwd"),
        ["redirects to the cloud's own"] = ScriptedUpstream.Redirect("http://169.254.169.254/latest/meta-data/"),
        ["sends a page"] = ScriptedUpstream.Blob(Page),
        ["sends encoded"] = context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            return ScriptedUpstream.Json("{}")(context);
        },
        ["says no length"] = ScriptedUpstream.Unmeasured(TestContent.Text("{}")),
        ["breaks off"] = ScriptedUpstream.Cut(TestContent.Text("""{"manifests":[]}"""), 3),
    };

    // Find manifest, get manifest, find blob, open blob, list referrers.
    [Theory]
    [InlineData("404", NotFound, Denied, NotFound, NotFound, Good)]
    [InlineData("404 NAME_UNKNOWN", NotFound, NotFound, NotFound, NotFound, Good)]
    [InlineData("404 NOT_FOUND", NotFound, NotFound, NotFound, NotFound, Good)]
    [InlineData("404 of another code", NotFound, Denied, NotFound, NotFound, Good)]
    [InlineData("404 of no code", NotFound, Denied, NotFound, NotFound, Good)]
    [InlineData("404 of no registry", NotFound, Denied, NotFound, NotFound, Good)]
    [InlineData("404 that breaks off", NotFound, Denied, NotFound, NotFound, Good)]
    [InlineData("404 without end", NotFound, Denied, NotFound, NotFound, Good)]
    [InlineData("401 without a challenge", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("401 with nonsense", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("401 for users", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("401 with a foreign realm", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("403", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("400", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("405", Unsaid, Fault, Fault, Fault, Fault)]
    [InlineData("204", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("429", TooOften, TooOften, TooOften, TooOften, TooOften)]
    [InlineData("500", Unavailable, Unavailable, Unavailable, Unavailable, Unavailable)]
    [InlineData("501", Unsaid, Unavailable, Unavailable, Unavailable, Unavailable)]
    [InlineData("503", Unavailable, Unavailable, Unavailable, Unavailable, Unavailable)]
    [InlineData("hangs up", Unavailable, Unavailable, Unavailable, Unavailable, Unavailable)]
    [InlineData("is silent", Unavailable, Unavailable, Unavailable, Unavailable, Unavailable)]
    [InlineData("redirects to itself", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("redirects to nowhere", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("redirects to a file", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("redirects to the cloud's own", Fault, Fault, Fault, Fault, Fault)]
    [InlineData("sends a page", Unsaid, Fault, Good, Good, Fault)]
    [InlineData("sends encoded", Unsaid, Fault, Fault, Fault, Fault)]
    [InlineData("says no length", Unsaid, Good, Fault, Fault, Fault)]
    public async Task Each_fault_has_its_answer(
        string fault, string findManifest, string getManifest, string findBlob, string openBlob, string listReferrers)
    {
        Server.Gate = async context =>
        {
            await Faults[fault](context);
            return true;
        };
        var blob = TestContent.Random(10);
        var patience = fault == "is silent" ? TimeSpan.FromMilliseconds(300) : TimeSpan.FromSeconds(60);
        // One for each: what one question does to the next is another matter.
        Assert.Equal(findManifest, Outcome(await FindTagAsync(New())));
        Assert.Equal(getManifest, Outcome(await GetTagAsync(New())));
        Assert.Equal(findBlob, Outcome(await New().FindBlobAsync(Repository, DigestOf(blob), CancellationToken.None)));
        using (var opened = Opened(await OpenAsync(New(), blob), out var outcome))
            Assert.Equal(openBlob, outcome);
        Assert.Equal(listReferrers, Outcome(await New().ListReferrersAsync(Repository, DigestOf(blob), CancellationToken.None)));

        IUpstream New() => Upstream(settings => settings.Timeout = patience);
    }

    [Fact]
    public async Task A_manifest_or_list_that_breaks_off_is_unavailable_and_a_blob_fails_while_it_is_read()
    {
        var list = TestContent.Text("""{"manifests":[]}""", "application/vnd.oci.image.index.v1+json");
        Server.Gate = async context =>
        {
            await ScriptedUpstream.Cut(list, 3)(context);
            return true;
        };
        Assert.Equal(ErrorReason.Unavailable, Error(await GetTagAsync(Upstream())).Reason);
        Assert.Equal(ErrorReason.Unavailable, Error(await Upstream().ListReferrersAsync(Repository, DigestOf(list), CancellationToken.None)).Reason);
        using var blob = Value(await OpenAsync(Upstream(), list));
        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(blob));
    }

    [Fact]
    public async Task Silence_within_a_body_ends_it()
    {
        var content = TestContent.Random(1000);
        Server.Gate = async context =>
        {
            await ScriptedUpstream.Stall(content with { MediaType = ManifestBuilder.OciImage }, 10)(context);
            return true;
        };
        var upstream = Upstream(settings => settings.Timeout = TimeSpan.FromSeconds(1));
        Assert.Equal(ErrorReason.Unavailable, Error(await GetTagAsync(upstream)).Reason);
        using var blob = Value(await OpenAsync(upstream, content));
        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(blob));
        // The skipping of what was not wanted, too.
        Assert.Equal(ErrorReason.Unavailable, Error(await OpenAsync(upstream, content, offset: 500)).Reason);
    }

    [Fact]
    public async Task Who_gives_up_is_told_so()
    {
        var content = TestContent.Random(1000);
        Server.Route(ScriptedUpstream.BlobPath("team/app", content), ScriptedUpstream.Stall(content, 10));
        using var blob = Value(await OpenAsync(Upstream(), content));
        using var end = new CancellationTokenSource();
        var reading = blob.Content.CopyToAsync(Stream.Null, end.Token);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);

        Server.Gate = async context =>
        {
            await ScriptedUpstream.Silence(context);
            return true;
        };
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Upstream().FindBlobAsync(Repository, DigestOf(content), soon.Token));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("localhost")]
    public async Task Nobody_there_is_unavailable(string host)
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // and does not listen
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        var error = Error(await FindTagAsync(Upstream(settings => settings.Upstream = $"http://{host}:{port}")));
        Assert.Contains("cannot be reached (ConnectionRefused)", error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorReason.Unavailable, error.Reason);
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_unavailable()
    {
        var error = Error(await FindTagAsync(Upstream(settings => settings.Upstream = "http://registry.invalid")));
        Assert.Equal((ErrorReason.Unavailable, true), (error.Reason, error.Message.Contains("registry.invalid", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Plain_text_where_TLS_should_be_is_unavailable()
    {
        var error = Error(await FindTagAsync(Upstream(
            settings => settings.Upstream = Server.Url.Replace("http:", "https:", StringComparison.Ordinal))));
        Assert.Equal(ErrorReason.Unavailable, error.Reason);
        Assert.Contains("fails at TLS", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts_is_a_fault_and_nothing_is_asked_behind_it()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.Issue("127.0.0.1");
        await using var server = await ScriptedUpstream.StartAsync(certificate);
        server.RequireBasic("alice", Password);
        var error = Error(await FindTagAsync(Upstream(settings =>
        {
            AsUser(settings);
            settings.Upstream = server.Url;
        })));
        Assert.Equal(ErrorReason.UpstreamFault, error.Reason);
        Assert.Contains("shows a certificate that is not trusted (", error.Message, StringComparison.Ordinal);
        Assert.Contains(error.Message, Assert.Single(Log.Lines), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task What_is_not_HTTP_is_a_fault()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("SSH-2.0-OpenSSH_9.6\r\n\r\n"));
            await client.GetStream().CopyToAsync(Stream.Null);
        });
        var error = Error(await FindTagAsync(Upstream(settings => settings.Upstream = $"http://{listener.LocalEndpoint}")));
        Assert.Equal(ErrorReason.UpstreamFault, error.Reason);
        await answering.WaitAsync(TimeSpan.FromMinutes(1)).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task The_log_tells_once_that_it_fails_and_once_that_it_is_back()
    {
        Server.ServeImage("team/app", "latest");
        Server.Gate = Failing;
        var upstream = Upstream();
        await FindTagAsync(upstream);
        await GetTagAsync(upstream);
        Server.Gate = _ => Task.FromResult(false);
        Value(await FindTagAsync(upstream));
        Value(await GetTagAsync(upstream));
        Assert.Equal(
            [
                $"Warning: Registry 'hub' lives on what it has: The upstream {Server.Address.Authority} cannot be used at the moment: it answers 502.",
                $"Information: Registry 'hub' is answered by {Server.Address.Authority} again.",
            ],
            Log.Lines);

        static async Task<bool> Failing(HttpContext context)
        {
            await ScriptedUpstream.Status(502)(context);
            return true;
        }
    }

    [Fact]
    public async Task The_log_tells_once_that_it_does_not_show_something_and_why()
    {
        var upstream = Upstream();
        Server.Route(ScriptedUpstream.ManifestPath("team/app", "latest"), Faults["404 of no registry"]);
        foreach (var _ in Enumerable.Range(0, 2))
            Error(await GetTagAsync(upstream));
        Server.ServeImage("team/app", "latest");
        Value(await GetTagAsync(upstream));
        Assert.Equal(
            [
                "Debug: Registry 'hub' is not shown what it asks for: Manifest 'latest' is not in this repository "
                + $"({Server.Address.Authority} answers 404, and not that it does not know it).",
            ],
            Log.Lines);
    }

    private static string Outcome<T>(Result<T> result)
        => result.Match(value => value is null ? Unsaid : Good, errors => errors[0].MayExist ? Denied : errors[0].Reason.ToString());

    private static RequestDelegate NotFoundSaying(string body)
        => context =>
        {
            context.Response.StatusCode = 404;
            return ScriptedUpstream.Json(body)(context);
        };

    private static UpstreamBlob? Opened(Result<UpstreamBlob> result, out string outcome)
    {
        outcome = Outcome(result);
        return result.TryGet(out var blob, out _) ? blob : null;
    }
}
