using System.Net;
using Registry.Application.Registries;
using Registry.Domain.Errors;
using Registry.Infrastructure.Upstreams;

namespace Registry.Infrastructure.Tests.Upstreams;

/// <summary>Who is shown the credentials (S-4), and where connections lead (S-17).</summary>
public sealed class UpstreamGuardTests : UpstreamFixture
{
    private ScriptedUpstream _other = null!;
    private ScriptedImage _image = null!;

    private string OtherHost => _other.Address.Authority;

    private string OtherByName => _other.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _other = await ScriptedUpstream.StartAsync();
        _image = Server.ServeImage("team/app", "latest");
        _other.ServeImage("team/app", "latest");
        _other.ServeTokens();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task A_realm_that_is_not_pinned_is_sent_nothing_at_all()
    {
        Server.RequireToken("alice", Password, new(_other.Address, "/token"));
        foreach (var settings in new Action<RegistrySettings>[] { AllowLoopback, AllowLoopback + (Action<RegistrySettings>)AsUser })
        {
            var error = Error(await GetTagAsync(Upstream(settings)));
            Assert.Equal(ErrorReason.UpstreamFault, error.Reason);
            Assert.Contains(OtherHost, error.Message, StringComparison.Ordinal);
        }

        Assert.Empty(_other.Requests);
    }

    [Fact]
    public async Task A_pinned_realm_is_shown_the_user()
    {
        Server.RequireToken(realm: new(_other.Address, "/token"));
        _other.Route("/token", ScriptedUpstream.Json("""{"token":"token-0"}"""));
        Value(await GetTagAsync(Upstream(settings =>
        {
            AsUser(settings);
            AllowLoopback(settings);
            settings.TokenHosts.Add(OtherHost);
        })));
        Assert.Equal(ScriptedUpstream.BasicOf("alice", Password), Assert.Single(_other.Requests).Authorization);
    }

    [Fact]
    public async Task A_pinned_realm_is_connected_to_only_where_connections_may_lead()
    {
        foreach (var realm in new[] { new Uri(_other.Address, "/token"), new Uri(OtherByName + "/token") })
        {
            Server.RequireToken("alice", Password, realm);
            var error = Error(await GetTagAsync(Upstream(settings =>
            {
                AsUser(settings);
                settings.TokenHosts.Add(realm.Authority);
            })));
            Assert.Equal(ErrorReason.UpstreamFault, error.Reason);
            Assert.Contains("AllowedNetworks", error.Message, StringComparison.Ordinal);
        }

        Assert.Empty(_other.Requests);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_followed_and_shows_nobody_to_another_host(int status)
    {
        Server.RequireToken("alice", Password);
        Redirect(_other.Url, status);
        var upstream = Upstream(AllowLoopback + (Action<RegistrySettings>)AsUser);
        Assert.Equal(_image.Manifest.Digest, Value(await FindTagAsync(upstream))!.ToString());
        Assert.Equal(_image.Manifest.Bytes, Value(await GetTagAsync(upstream)).Content.ToArray());
        Assert.Equal(_image.Layer.Bytes.Length, Value(await upstream.FindBlobAsync(Repository, DigestOf(_image.Layer), CancellationToken.None)));
        using var blob = Value(await OpenAsync(upstream, _image.Layer, offset: 40_000));
        Assert.Equal(_image.Layer.Bytes[40_000..], await ReadAsync(blob));
        Assert.Equal(["HEAD", "GET", "HEAD", "GET"], _other.Requests.Select(request => request.Method));
        Assert.All(_other.Requests, request => Assert.Null(request.Authorization));
        Assert.Contains(_other.Requests, request => request.Headers.GetValueOrDefault("Range") == "bytes=40000-");
    }

    [Fact]
    public async Task A_user_is_not_shown_to_another_host_either()
    {
        Server.RequireBasic("alice", Password);
        Redirect(_other.Url);
        Value(await GetTagAsync(Upstream(AllowLoopback + (Action<RegistrySettings>)AsUser)));
        Assert.Null(Assert.Single(_other.Requests).Authorization);
    }

    [Theory]
    [InlineData("Basic realm=\"x\"")]
    [InlineData("Bearer realm=\"{0}/token\"")]
    public async Task A_redirect_target_that_wants_credentials_gets_none(string challenge)
    {
        Redirect(_other.Url);
        _other.Gate = async context =>
        {
            await ScriptedUpstream.Challenge(challenge.Replace("{0}", Server.Url, StringComparison.Ordinal))(context);
            return true;
        };
        var error = Error(await GetTagAsync(Upstream(AllowLoopback + (Action<RegistrySettings>)AsUser)));
        Assert.Equal(ErrorReason.UpstreamFault, error.Reason);
        Assert.Contains(OtherHost, error.Message, StringComparison.Ordinal);
        Assert.Null(Assert.Single(_other.Requests).Authorization);
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public async Task Five_redirects_are_followed(int redirects, bool followed)
    {
        for (var hop = 1; hop < redirects; hop++)
            Server.Route($"/hop/{hop}", ScriptedUpstream.Redirect($"/hop/{hop + 1}"));
        Server.Route($"/hop/{redirects}", ScriptedUpstream.Manifest(_image.Manifest));
        Server.Route(ScriptedUpstream.ManifestPath("team/app", "latest"), ScriptedUpstream.Redirect($"//{Server.Address.Authority}/hop/1"));
        var result = await GetTagAsync(Upstream());
        Assert.Equal(followed, result.TryGet(out _, out var errors));
        Assert.All(errors, error => Assert.Equal(ErrorReason.UpstreamFault, error.Reason));
    }

    [Fact]
    public async Task A_redirect_into_a_network_that_is_not_allowed_is_refused_and_the_log_alone_tells_where_it_leads()
    {
        // The upstream is named by its address, which allows this address and port alone.
        foreach (var target in new[] { _other.Url, OtherByName, "http://169.254.169.254", "http://[::1]:80", "http://0x7f.1:80" })
        {
            Redirect(target);
            var error = Error(await GetTagAsync(Upstream()));
            Assert.Equal(ErrorReason.UpstreamFault, error.Reason);
            Assert.Equal($"The upstream {Server.Address.Authority} failed: it leads outside AllowedNetworks.", error.Message);
            Assert.Contains($"it leads outside AllowedNetworks ({new Uri(target).Host} is ", Log.Lines[^1], StringComparison.Ordinal);
        }

        Assert.Empty(_other.Requests);
    }

    [Fact]
    public async Task An_upstream_may_be_this_machine_when_it_is_written_so()
        => Value(await GetTagAsync(Upstream(settings => settings.Upstream = Server.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal))));

    [Fact]
    public async Task A_next_page_on_another_host_is_not_asked_for()
    {
        Server.Route(ScriptedUpstream.ReferrersPath("team/app", _image.Manifest), context =>
        {
            context.Response.Headers.Link = $"<{_other.Url}/v2/team/app/referrers/x?last=1>; rel=\"next\"";
            return ScriptedUpstream.Json("""{"manifests":[]}""")(context);
        });
        var listed = await Upstream(AllowLoopback).ListReferrersAsync(Repository, DigestOf(_image.Manifest), CancellationToken.None);
        Assert.Equal(ErrorReason.UpstreamFault, Error(listed).Reason);
        Assert.Empty(_other.Requests);
    }

    [Fact]
    public async Task A_cookie_is_not_kept()
    {
        Server.Gate = context =>
        {
            context.Response.Headers.SetCookie = "session=1; Path=/";
            return Task.FromResult(false);
        };
        var upstream = Upstream();
        Value(await GetTagAsync(upstream));
        Value(await GetTagAsync(upstream));
        Assert.All(Server.Requests, request => Assert.DoesNotContain("Cookie", request.Headers.Keys));
    }

    [Theory]
    [InlineData("https://hub.example", "hub.example", 443, "140.82.112.3", true)]
    [InlineData("https://hub.example", "hub.example", 443, "10.0.0.1", false)]
    [InlineData("https://hub.example", "hub.example", 443, "127.0.0.1", false)]
    [InlineData("https://hub.example", "cdn.example", 443, "::ffff:169.254.169.254", false)]
    [InlineData("https://hub.example", "cdn.example", 443, "192.168.7.9", true)] // as allowed below
    [InlineData("https://hub.example", "cdn.example", 443, "::ffff:192.168.7.9", true)]
    [InlineData("https://hub.example", "cdn.example", 443, "192.168.8.9", false)]
    [InlineData("http://10.0.0.1:5000", "10.0.0.1", 5000, "10.0.0.1", true)]
    [InlineData("http://10.0.0.1:5000", "10.0.0.1", 22, "10.0.0.1", false)]
    [InlineData("http://10.0.0.1:5000", "10.0.0.2", 5000, "10.0.0.2", false)]
    [InlineData("http://10.0.0.1:5000", "rebound.example", 5000, "10.0.0.1", false)]
    [InlineData("http://[::1]:5000", "[::1]", 5000, "::1", true)]
    [InlineData("http://[::1]:5000", "[::1]", 22, "::1", false)]
    [InlineData("http://[::ffff:10.0.0.1]:5000", "[::ffff:10.0.0.1]", 5000, "10.0.0.1", true)]
    [InlineData("http://localhost:5000", "localhost", 5000, "::1", true)]
    [InlineData("http://localhost:5000", "localhost", 5000, "127.0.0.1", true)]
    [InlineData("http://localhost:5000", "localhost", 5000, "10.0.0.1", false)]
    [InlineData("http://localhost:5000", "127.0.0.1", 5000, "127.0.0.1", false)]
    public void A_connection_leads_somewhere_or_not(string upstream, string host, int port, string address, bool isAllowed)
    {
        var settings = new RegistrySettings { Upstream = upstream };
        settings.AllowedNetworks.Add("192.168.7.0/24");
        Assert.Equal(isAllowed, new UpstreamPlace(settings).IsAllowed(new DnsEndPoint(host, port), IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("https://registry-1.docker.io", null, "https://auth.docker.io/token", true)]
    [InlineData("https://registry-1.docker.io", null, "https://auth.docker.io:8443/token", false)]
    [InlineData("https://registry-1.docker.io", null, "http://auth.docker.io/token", false)]
    [InlineData("https://registry-1.docker.io", null, "https://auth.docker.io.evil.example/token", false)]
    [InlineData("https://registry-1.docker.io", "login.example", "https://auth.docker.io/token", false)]
    [InlineData("https://hub.example", null, "https://auth.docker.io/token", false)]
    [InlineData("https://hub.example", null, "https://hub.example/token", true)]
    [InlineData("https://hub.example", null, "http://hub.example/token", false)]
    [InlineData("https://hub.example", null, "https://hub.example:444/token", false)]
    [InlineData("https://hub.example", "login.example", "https://LOGIN.example/token", true)]
    [InlineData("https://hub.example", "login.example:443", "https://login.example/token", true)]
    [InlineData("https://hub.example", "login.example:444", "https://login.example/token", false)]
    [InlineData("https://hub.example", "login.example", "http://login.example/token", false)]
    [InlineData("http://hub.example", "login.example", "http://login.example/token", true)]
    [InlineData("http://hub.example", null, "https://hub.example/token", false)]
    public void A_realm_is_pinned_or_not(string upstream, string? tokenHost, string realm, bool isPinned)
    {
        var settings = new RegistrySettings { Upstream = upstream };
        if (tokenHost is not null)
            settings.TokenHosts.Add(tokenHost);
        Assert.Equal(isPinned, new UpstreamPlace(settings).IsTokenServer(new(realm)));
    }

    [Theory]
    [InlineData("https://a.example", "http://a.example", true)]
    [InlineData("https://a.example", "https://b.example", false)]
    [InlineData("http://a.example", "http://b.example", false)]
    [InlineData("http://a.example", "https://b.example", false)]
    public void TLS_is_lost_or_not(string from, string to, bool isLost)
        => Assert.Equal(isLost, UpstreamPlace.LosesTls(new(from), new(to)));

    private void Redirect(string target, int status = 307)
    {
        foreach (var path in new[]
        {
            ScriptedUpstream.ManifestPath("team/app", "latest"), ScriptedUpstream.BlobPath("team/app", _image.Layer),
        })
        {
            Server.Route(path, ScriptedUpstream.Redirect(target + path, status));
        }

        _other.ServeBlob("team/app", _image.Layer);
        _other.ServeManifest("team/app", _image.Manifest, "latest");
    }
}
