using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;

namespace Registry.Web.Tests.Access;

/// <summary>Bearer tokens over HTTP: how clients get them, and everything that they are not good for.</summary>
public sealed class BearerTests : IAsyncLifetime
{
    private const string Digest = "sha256:0000000000000000000000000000000000000000000000000000000000000001";
    private const string Form = "application/x-www-form-urlencoded";

    private static readonly (string, string) Alice = Basic("alice", "wonder");
    private static readonly (string, string) Bob = Basic("bob", "build");

    private readonly TemporaryFolder _folder = new();
    private readonly ShiftedTime _time = new();
    private RegistryFactory? _registry;

    private RegistryClient Client => _registry!.Client;

    private string Host => Client.Address.Authority;

    private string Passwords => Path.Combine(_folder.Path, "htpasswd");

    public static TheoryData<string, string> Reads => new()
    {
        { "GET", "/manifests/v1" }, { "HEAD", "/manifests/v1" }, { "GET", $"/manifests/{Digest}" },
        { "GET", $"/blobs/{Digest}" }, { "HEAD", $"/blobs/{Digest}" }, { "GET", "/tags/list" }, { "GET", $"/referrers/{Digest}" },
    };

    public static TheoryData<string, string, string> Writes => new()
    {
        { "POST", "/blobs/uploads/", "pull,push" }, { "POST", $"/blobs/uploads/?digest={Digest}", "pull,push" },
        { "POST", $"/blobs/uploads/?mount={Digest}&from=img/a", "pull,push" },
        { "GET", "/blobs/uploads/00000000-0000-4000-8000-000000000001", "pull,push" },
        { "PATCH", "/blobs/uploads/00000000-0000-4000-8000-000000000001", "pull,push" },
        { "PUT", $"/blobs/uploads/00000000-0000-4000-8000-000000000001?digest={Digest}", "pull,push" },
        { "DELETE", "/blobs/uploads/00000000-0000-4000-8000-000000000001", "pull,push" },
        { "PUT", "/manifests/v1", "pull,push" }, { "DELETE", "/manifests/v1", "delete" },
        { "DELETE", $"/manifests/{Digest}", "delete" }, { "DELETE", $"/blobs/{Digest}", "delete" },
    };

    public async Task InitializeAsync()
    {
        await WriteUsersAsync("alice", "bob");
        _registry = await StartAsync("None");
    }

    public async Task DisposeAsync()
    {
        await ((IAsyncDisposable)_registry!).DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_client_that_follows_the_challenge_pushes_and_pulls()
    {
        var challenge = Challenged(await Client.PostAsync("/v2/img/a/blobs/uploads/"));
        Assert.Equal(($"http://{Host}/token", Host, "repository:img/a:pull,push"), challenge);
        var answer = (await Client.GetAsync($"/token?service={challenge.Service}&scope={challenge.Scope}", Alice)).Expect(200);
        answer.ExpectHeader("Cache-Control", "no-store");
        Assert.Equal(answer.Json.GetProperty("token").GetString(), answer.Json.GetProperty("access_token").GetString());
        Assert.Equal(900, answer.Json.GetProperty("expires_in").GetInt64());
        Assert.InRange(answer.Json.GetProperty("issued_at").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
        Assert.False(answer.Json.TryGetProperty("refresh_token", out _));
        var token = Bearer(TokenOf(answer));

        var manifest = await PushAsync(token, "img/a");
        await PushAsync(token, "img/a", "v1", manifest); // again
        await PushAsync(token, "img/a"); // the tag moves

        (await Client.GetAsync("/v2/img/a/manifests/v1", token)).Expect(200);
        (await Client.GetAsync("/v2/img/a/tags/list", token)).Expect(200);
        (await Client.GetAsync("/v2/", token)).Expect(200);
    }

    [Theory]
    [MemberData(nameof(Reads))]
    public async Task A_token_for_one_repository_is_worth_nothing_for_another_to_read(string method, string path)
    {
        var token = Bearer(await TokenAsync(Alice, "repository:img/a:pull,push"));
        Insufficient(await Client.SendAsync(method, $"/v2/img/b{path}", null, token), method, "repository:img/b:pull");
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task A_token_to_pull_or_for_another_repository_changes_nothing(string method, string path, string asked)
    {
        foreach (var scope in new[] { "repository:img/a:pull", "repository:img/b:pull,push,delete", "repository:img/a/c:*", "registry:catalog:*" })
        {
            var token = Bearer(await TokenAsync(Alice, scope));
            var body = method is "GET" ? null : new byte[] { 1 };
            Insufficient(await Client.SendAsync(method, $"/v2/img/a{path}", body, token), method, $"repository:img/a:{asked}");
        }
    }

    [Fact] // S-11
    public async Task A_token_gives_what_its_user_may_do_and_no_more()
    {
        var bob = Bearer(await TokenAsync(Bob, "repository:img/a:pull,push,delete,*"));
        var alice = Bearer(await TokenAsync(Alice, "repository:img/a:*"));
        await PushAsync(alice, "img/a");

        (await Client.GetAsync("/v2/img/a/manifests/v1", bob)).Expect(200);
        Insufficient(await Client.PostAsync("/v2/img/a/blobs/uploads/", null, bob), "POST", "repository:img/a:pull,push");
        Insufficient(await Client.DeleteAsync("/v2/img/a/manifests/v1", bob), "DELETE", "repository:img/a:delete");
        Insufficient(await Client.DeleteAsync("/v2/img/a/manifests/v1", alice), "DELETE", "repository:img/a:delete");
    }

    [Fact] // S-11
    public async Task A_token_cannot_be_exchanged_for_another_one()
    {
        var token = Bearer(await TokenAsync(Alice, "repository:img/a:pull"));
        foreach (var path in new[] { "/token", "/token?scope=repository:img/a:pull", "/token?scope=repository:img/a:push&offline_token=true" })
            (await Client.GetAsync(path, token)).ExpectError(401, "UNAUTHORIZED").ExpectHeader("WWW-Authenticate", "Basic realm=\"registry\", charset=\"UTF-8\"");

        // What the form shows counts, and not the header.
        (await PostAsync("grant_type=password&username=alice&password=wrong&scope=repository:img/a:push", token)).Expect(401);
        (await PostAsync($"grant_type=refresh_token&refresh_token={token.Item2["Bearer ".Length..]}", token)).Expect(401);
    }

    [Fact]
    public async Task A_token_is_worth_nothing_at_another_host_port_or_registry()
    {
        var images = ("Host", "images.example");
        await PushAsync(Alice, "img/a", host: images.Item2);
        await PushAsync(Alice, "img/a");
        var here = Bearer(await TokenAsync(Alice, "repository:img/a:pull"));
        var there = Bearer(TokenOf((await Client.GetAsync("/token?scope=repository:img/a:pull", Alice, images)).Expect(200)));

        (await Client.GetAsync("/v2/img/a/manifests/v1", here)).Expect(200);
        (await Client.GetAsync("/v2/img/a/manifests/v1", there, images)).Expect(200);
        Invalid(await Client.GetAsync("/v2/img/a/manifests/v1", here, images));
        Invalid(await Client.GetAsync("/v2/img/a/manifests/v1", there));
        Invalid(await Client.GetAsync("/v2/img/a/manifests/v1", there, ("Host", "images.example:5000")));
        Invalid(await Client.GetAsync("/v2/img/a/manifests/v1", here, ("Host", Client.Address.Host)));
        Invalid(await Client.GetAsync("/v2/img/a/manifests/v1", here, ("Host", $"localhost:{Client.Address.Port}")));
        (await Client.GetAsync("/v2/img/a/manifests/v1", there, ("Host", "IMAGES.example"))).Expect(200);
    }

    [Fact]
    public async Task A_token_names_the_repository_that_is_meant_and_not_its_name()
    {
        // "team/x" is x of the registry at the path team; the same name means another repository elsewhere.
        await PushAsync(Alice, "img/a");
        var token = Bearer(await TokenAsync(Alice, "repository:team/img/a:pull,push"));
        Insufficient(await Client.GetAsync("/v2/img/a/manifests/v1", token), "GET", "repository:img/a:pull");
        (await Client.GetAsync("/v2/team/img/a/manifests/v1", token)).ExpectError(404, "NAME_UNKNOWN", "MANIFEST_UNKNOWN");
        await PushAsync(token, "team/img/a");
    }

    [Fact]
    public async Task A_token_that_was_changed_is_none()
    {
        await PushAsync(Alice, "img/a");
        var good = await TokenAsync(Alice, "repository:img/a:pull");
        var parts = good.Split('.');
        var payload = Jwt.Decode(parts[1]);
        (await Client.GetAsync("/v2/img/a/manifests/v1", Bearer(good))).Expect(200);

        string[] changed =
        [
            $"{parts[0]}.{Jwt.Encode(payload.Replace("\"pull\"", "\"push\"", StringComparison.Ordinal))}.{parts[2]}",
            $"{parts[0]}.{Jwt.Encode(payload.Replace("img/a", "img/b", StringComparison.Ordinal))}.{parts[2]}",
            $"{parts[0]}.{Jwt.Encode(payload.Replace("alice", "bob", StringComparison.Ordinal))}.{parts[2]}",
            $"{Jwt.Encode("""{"alg":"none","typ":"JWT"}""")}.{parts[1]}.",
            $"{Jwt.Encode(Jwt.Decode(parts[0]).Replace("ES256", "none", StringComparison.Ordinal))}.{parts[1]}.",
            $"{Jwt.Encode(Jwt.Decode(parts[0]).Replace("ES256", "none", StringComparison.Ordinal))}.{parts[1]}.{parts[2]}",
            $"{parts[0]}.{parts[1]}", $"{parts[0]}.{parts[1]}.", $"{good}.{parts[2]}", $"{good}.a.b", $"{good}=", $"{good}A",
            good[..^1], good[1..], $"x{good}", $"{good},{good}", $"{good} {good}", good.Replace('.', ' '), "x", ".", "..",
            new string('x', 8193), new string('.', 9000), $"{good}.{new string('x', 16_000)}",
        ];
        foreach (var text in changed)
            Invalid(await Client.GetAsync("/v2/img/a/manifests/v1", Bearer(text)));
        Invalid(await Client.GetAsync("/v2/img/a/manifests/v1", ("Authorization", "Bearer ")));
        Assert.Equal(401, (await Client.GetAsync("/v2/img/a/manifests/v1", ("Authorization", "Bearer"))).Status);
        (await Client.GetAsync("/v2/img/a/manifests/v1", ("Authorization", $"bEARER   {good} "))).Expect(200);
    }

    [Fact] // S-9
    public async Task The_published_keys_sign_nothing_that_counts()
    {
        var keys = (await Client.GetAsync("/token/keys")).Expect(200);
        await TokenAsync(Alice, "repository:img/a:pull");
        var good = await TokenAsync(Alice, "repository:img/a:pull");
        var (id, claims) = (Assert.Single(keys.Json.GetProperty("keys").EnumerateArray()), good.Split('.')[1]);
        var kid = id.GetProperty("kid").GetString();
        Assert.Equal(kid, JsonDocument.Parse(Jwt.Decode(good.Split('.')[0])).RootElement.GetProperty("kid").GetString());
        Assert.Equal(["kty", "crv", "use", "alg", "kid", "x", "y"], id.EnumerateObject().Select(member => member.Name));

        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = own.ExportParameters(false).Q;
        var jwk = $$"""{"kty":"EC","crv":"P-256","kid":"{{kid}}","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
        foreach (var header in new[]
        {
            $$"""{"alg":"ES256","kid":"{{kid}}"}""", $$"""{"alg":"ES256","kid":"{{kid}}","jwk":{{jwk}}}""",
            $$"""{"alg":"ES256","kid":"{{kid}}","jku":"http://{{Host}}/token/keys"}""", $$"""{"alg":"ES256","kid":"own"}""",
            """{"alg":"ES256"}""",
        })
            Invalid(await Client.GetAsync("/v2/img/a/manifests/v1", Bearer(Jwt.Sign($"{Jwt.Encode(header)}.{claims}", Jwt.Es256(own)))));
        foreach (var secret in new[] { keys.Text, id.GetRawText(), id.GetProperty("x").GetString()!, kid! })
        {
            var header = $$"""{"alg":"HS256","kid":"{{kid}}"}""";
            Invalid(await Client.GetAsync(
                "/v2/img/a/manifests/v1", Bearer(Jwt.Sign($"{Jwt.Encode(header)}.{claims}", Jwt.Hs256(Encoding.UTF8.GetBytes(secret))))));
        }
    }

    [Fact]
    public async Task A_token_ends_and_its_user_goes_on_with_another_one() // S-8
    {
        var blob = TestContent.Layer();
        var (alice, bob) = (await TokenAsync(Alice, "repository:shared/x:push"), await TokenAsync(Bob, "repository:shared/x:push"));
        var location = (await Client.PostAsync("/v2/shared/x/blobs/uploads/", null, Bearer(alice))).Expect(202).Location;
        (await Client.PatchAsync(location, blob.Bytes[..10], Bearer(alice))).Expect(202);
        (await Client.PatchAsync(location, blob.Bytes[10..], Bearer(bob))).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await Client.GetAsync(location, Bearer(bob))).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");

        _time.Offset = TimeSpan.FromMinutes(16);

        var challenge = Challenged(Invalid(await Client.PatchAsync(location, blob.Bytes[10..], Bearer(alice))));
        Assert.Equal("repository:shared/x:pull,push", challenge.Scope);
        alice = await TokenAsync(Alice, challenge.Scope!);
        (await Client.PatchAsync(location, blob.Bytes[10..20], Bearer(alice))).Expect(202);
        (await Client.PatchAsync(location, blob.Bytes[20..], Alice)).Expect(202); // the same user, by password
        (await Client.CloseAsync(location, blob.Digest, null, Bearer(alice))).Expect(201);
    }

    [Fact]
    public async Task A_user_that_is_gone_has_no_token_any_more()
    {
        var (token, refresh) = await WithRefreshAsync(Bob);
        (await Client.GetAsync("/v2/", Bearer(token))).Expect(200);

        await WriteUsersAsync("alice");
        var deadline = DateTime.UtcNow.AddSeconds(10);
        while ((await Client.GetAsync("/v2/", Bearer(token))).Status != 401 && DateTime.UtcNow < deadline)
            await Task.Delay(100);

        Invalid(await Client.GetAsync("/v2/", Bearer(token)));
        (await PostAsync($"grant_type=refresh_token&refresh_token={refresh}")).ExpectError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task A_new_password_ends_the_tokens_that_were_got_with_the_old_one_but_no_access_tokens()
    {
        var (token, refresh) = await WithRefreshAsync(Bob);
        var made = (await Client.PostAsync("/api/v1/tokens", "{}"u8.ToArray(), Bob, ("Content-Type", "application/json"))).Expect(201);
        var mine = Credentials.Basic("bob", made.Json.GetProperty("secret").GetString()!);

        await File.WriteAllLinesAsync(Passwords, [Htpasswd.Line("bob", "another")]);
        var deadline = DateTime.UtcNow.AddSeconds(10);
        while ((await Client.GetAsync("/v2/", Bearer(token))).Status != 401 && DateTime.UtcNow < deadline)
            await Task.Delay(100);

        Invalid(await Client.GetAsync("/v2/", Bearer(token)));
        (await PostAsync($"grant_type=refresh_token&refresh_token={refresh}")).ExpectError(401, "UNAUTHORIZED");
        (await Client.GetAsync("/v2/", Bob)).Expect(401);
        (await Client.GetAsync("/v2/", mine)).Expect(200);
        (await Client.GetAsync("/v2/", Bearer(await TokenAsync(mine, "repository:img/a:pull")))).Expect(200);
    }

    [Fact]
    public async Task A_refresh_token_gets_others_for_as_long_as_it_counts_at_its_host()
    {
        var (_, refresh) = await WithRefreshAsync(Alice);
        var form = $"grant_type=refresh_token&client_id=c&refresh_token={refresh}&scope=repository:img/a:pull,push";

        var answer = (await PostAsync(form)).Expect(200);
        Assert.Equal(refresh, answer.Json.GetProperty("refresh_token").GetString());
        await PushAsync(Bearer(TokenOf(answer)), "img/a");
        Insufficient(await Client.GetAsync("/v2/img/b/tags/list", Bearer(TokenOf(answer))), "GET", "repository:img/b:pull");

        (await PostAsync(form, ("Host", "images.example"))).ExpectError(401, "UNAUTHORIZED");
        (await PostAsync(form, ("Host", Client.Address.Host))).ExpectError(401, "UNAUTHORIZED");
        Invalid(await Client.GetAsync("/v2/", Bearer(refresh))); // it is no bearer token
        (await Client.GetAsync("/v2/", Basic("alice", refresh))).Expect(401); // nor a password

    }

    [Fact]
    [Trait(Backend.Trait, Backend.Folder)] // a PostgreSQL has a clock of its own, which no test moves
    public async Task A_refresh_token_ends()
    {
        var (_, refresh) = await WithRefreshAsync(Alice);
        var form = $"grant_type=refresh_token&client_id=c&refresh_token={refresh}&scope=repository:img/a:pull,push";
        _time.Offset = TimeSpan.FromDays(29);
        (await PostAsync(form)).Expect(200);
        _time.Offset = TimeSpan.FromDays(31);
        (await PostAsync(form)).ExpectError(401, "UNAUTHORIZED");
    }

    [Theory]
    [InlineData("grant_type=password&username=alice&password=wonder&client_id=c&service=s&scope=repository:img/a:pull", false)]
    [InlineData("grant_type=password&username=alice&password=wonder&access_type=online", false)]
    [InlineData("grant_type=password&username=alice&password=wonder&access_type=offline", true)]
    public async Task A_password_in_a_form_is_as_good_as_in_the_header(string form, bool offline)
    {
        var answer = (await PostAsync(form)).Expect(200).ExpectHeader("Cache-Control", "no-store");
        Assert.Equal(offline, answer.Json.TryGetProperty("refresh_token", out _));
        (await Client.GetAsync("/v2/", Bearer(TokenOf(answer)))).Expect(200);
    }

    [Theory]
    [InlineData("grant_type=password&username=alice&password=wrong", 401)]
    [InlineData("grant_type=password&username=alice", 401)]
    [InlineData("grant_type=password&username=&password=", 401)]
    [InlineData("grant_type=password", 401)]
    [InlineData("grant_type=password&username=alice&username=bob&password=wonder", 401)]
    [InlineData("grant_type=refresh_token", 401)]
    [InlineData("grant_type=refresh_token&refresh_token=x", 401)]
    [InlineData("grant_type=refresh_token&refresh_token=%00%ff'--", 401)]
    [InlineData("grant_type=client_credentials", 400)]
    [InlineData("grant_type=PASSWORD&username=alice&password=wonder", 400)]
    [InlineData("grant_type=password&grant_type=password&username=alice&password=wonder", 400)]
    [InlineData("username=alice&password=wonder", 400)]
    [InlineData("", 400)]
    [InlineData("&&&===", 400)]
    [InlineData("grant_type=password&username=alice&password=wonder&scope=nonsense", 400)]
    [InlineData("grant_type=password&username=alice&password=wonder&scope=repository:a:", 200)]
    [InlineData("grant_type=password&username=alice&password=wonder&scope=repository:..:pull", 200)]
    [InlineData("grant_type=password&username=alice&password=wonder&scope=repository%3Aimg/a%3Apull%20repository%3Aimg/b%3Apull", 200)]
    public async Task A_form_that_is_wrong_is_refused(string form, int status)
        => (await PostAsync(form)).Expect(status);

    [Fact]
    public async Task A_form_is_bounded_and_must_be_one() // S-19
    {
        const string Start = "grant_type=password&username=alice&password=wonder&x=";
        (await PostAsync(Start + new string('x', 8192 - Start.Length))).Expect(200);
        (await PostAsync(Start + new string('x', 8193 - Start.Length))).Expect(413);
        (await PostAsync(Start + new string('x', 1_000_000))).Expect(413);
        (await Client.PostAsync(
            "/token", Encoding.ASCII.GetBytes(Start + new string('x', 100_000)), ("Content-Type", Form), ("Transfer-Encoding", "chunked"))).Expect(413);
        (await PostAsync(string.Concat(Enumerable.Repeat("a=&", 2000)))).Expect(400);
        foreach (var type in new[] { "application/json", "text/plain", "multipart/form-data; boundary=x" })
            (await Client.PostAsync("/token", Encoding.ASCII.GetBytes(Start), ("Content-Type", type))).Expect(400);
        foreach (var type in new[] { $"{Form}; charset=UTF-8", "Application/X-WWW-Form-URLEncoded" })
            (await Client.PostAsync("/token", Encoding.ASCII.GetBytes(Start), ("Content-Type", type))).Expect(200);
        (await Client.PostAsync("/token")).Expect(400);
        (await Client.GetAsync($"/token?{string.Join('&', Enumerable.Range(0, 101).Select(i => $"scope=repository:img/{i}:pull"))}", Alice)).Expect(400);
    }

    [Theory]
    [InlineData("GET", "/v2/", null)]
    [InlineData("GET", "/v2/img/a/manifests/v1", "repository:img/a:pull")]
    [InlineData("HEAD", "/v2/img/a/b/c/blobs/" + Digest, "repository:img/a/b/c:pull")]
    [InlineData("GET", "/v2/blobs/uploads/x/manifests/v1", "repository:blobs/uploads/x:pull")]
    [InlineData("PUT", "/v2/img/a/manifests/v1", "repository:img/a:pull,push")]
    [InlineData("DELETE", "/v2/img/a/manifests/v1", "repository:img/a:delete")]
    [InlineData("GET", "/v2/_catalog", "registry:catalog:*")]
    [InlineData("GET", "/v2/_catalog?n=1", "registry:catalog:*")]
    [InlineData("GET", "/v2/tags/list", "registry:catalog:*")]
    [InlineData("GET", "/v1/search?q=a", "registry:catalog:*")]
    [InlineData("GET", "/v2/Img/a/manifests/v1", null)]
    [InlineData("GET", "/v2/img/a%22b/manifests/v1", null)]
    public async Task A_challenge_names_the_requests_own_host_and_what_it_takes(string method, string path, string? scope)
    {
        (string, string)[] cases = [(Host, Host), ("images.example", "images.example"), ("IMAGES.Example:5000", "images.example:5000"), ("[::1]:5000", "[::1]:5000")];
        foreach (var (host, service) in cases)
        {
            Assert.Equal(($"http://{service}/token", service, scope), Challenged(await Client.SendAsync(method, path, null, ("Host", host))));
            Assert.Equal(
                ($"https://{service}/token", service, scope),
                Challenged(await Client.SendAsync(method, path, null, ("Host", host), ("X-Forwarded-Proto", "https"))));
        }
    }

    [Theory]
    [InlineData("a\"b")]
    [InlineData("a\",error=\"x")]
    [InlineData("a b")]
    [InlineData("a\\")]
    [InlineData("a/b")]
    [InlineData("a@b")]
    [InlineData("a?b")]
    [InlineData("a#b")]
    [InlineData("a'b,c;d")]
    [InlineData("a%22b")]
    [InlineData("a:b:c")]
    [InlineData("<a>")]
    [InlineData("")]
    public async Task No_host_name_breaks_out_of_the_challenge(string host)
    {
        var request = $"GET /v2/img/a/manifests/v1 HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: ht\"tps\r\nConnection: close\r\n\r\n";
        var answer = await RawHttp.SendAsync(Client.Address, Encoding.Latin1.GetBytes(request), host);
        Assert.NotNull(answer);
        answer.Expect(400, 401);
        if (answer.Status == 401)
        {
            var challenge = Challenged(answer);
            Assert.Equal(host, challenge.Service);
            Assert.DoesNotContain("evil", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Everybody_gets_a_token_for_what_everybody_may_do()
    {
        await using var open = await StartAsync("Pull");
        var challenge = Challenged(await open.Client.GetAsync("/v2/"));
        Assert.Null(challenge.Scope);
        await PushAsync(Alice, "img/a", client: open.Client);
        var token = Bearer(TokenOf((await open.Client.GetAsync("/token?scope=repository:img/a:pull,push&scope=registry:catalog:*")).Expect(200)));

        (await open.Client.GetAsync("/v2/", token)).Expect(200);
        (await open.Client.GetAsync("/v2/img/a/manifests/v1", token)).Expect(200);
        (await open.Client.GetAsync("/v2/_catalog", token)).Expect(200);
        Insufficient(await open.Client.PostAsync("/v2/img/a/blobs/uploads/", null, token), "POST", "repository:img/a:pull,push");
        Assert.False((await open.Client.GetAsync("/token?offline_token=true")).Expect(200).Json.TryGetProperty("refresh_token", out _));

        // Where everybody may do nothing the token is as good, and worth nothing.
        var nothing = Bearer(TokenOf((await Client.GetAsync("/token?scope=repository:img/a:pull&scope=registry:catalog:*")).Expect(200)));
        Insufficient(await Client.GetAsync("/v2/img/a/manifests/v1", nothing), "GET", "repository:img/a:pull");
        Insufficient(await Client.GetAsync("/v2/_catalog", nothing), "GET", "registry:catalog:*");
    }

    [Theory]
    [MemberData(nameof(Reads))]
    public async Task What_is_there_and_what_is_not_look_alike_to_every_identity(string method, string path)
    {
        await PushAsync(Alice, "img/secret/a");
        (string, string)? nobody = null;
        var bearer = Bearer(await TokenAsync(Bob, "repository:img/secret/a:pull repository:img/secret/b:pull registry:catalog:*"));
        var anonymous = Bearer(TokenOf((await Client.GetAsync("/token?scope=repository:img/secret/a:pull")).Expect(200)));
        foreach (var (who, status) in new[] { (nobody, 401), (Bob, 403), (bearer, 401), (anonymous, 401), (Bearer("x.y.z"), 401), (Basic("x", "y"), 401) })
        {
            var headers = who is { } known ? new[] { known } : [];
            var there = (await Client.SendAsync(method, $"/v2/img/secret/a{path}", null, headers)).Expect(status);
            var missing = (await Client.SendAsync(method, $"/v2/img/secret/b{path}", null, headers)).Expect(status);
            Assert.Equal(Comparable(missing), Comparable(there));
            Assert.Equal(status == 403, there.Header("WWW-Authenticate") is null);
        }

        static string Comparable(Answer answer)
            => Regex.Replace(
                string.Join('\n', answer.Headers.Where(header => header.Key.ToUpperInvariant() is not ("DATE" or "X-REQUEST-ID" or "CONTENT-LENGTH"))) + answer.Text,
                "secret/[ab]|\"requestId\":\"[^\"]*\"", "", RegexOptions.None, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_token_for_lists_lists_and_opens_nothing_by_itself()
    {
        await PushAsync(Alice, "img/a");
        await PushAsync(Alice, "img/secret/a");
        var lists = Bearer(await TokenAsync(Bob, "registry:catalog:*"));
        var single = Bearer(await TokenAsync(Bob, "repository:img/a:pull"));

        foreach (var path in new[] { "/v2/_catalog", "/v2/tags/list", "/v1/search?q=img", "/api/v1/repositories" })
        {
            var text = (await Client.GetAsync(path, lists)).Expect(200).Text;
            Assert.Contains("img/a", text, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
            (await Client.GetAsync(path, single)).Expect(401);
        }

        Insufficient(await Client.GetAsync("/v2/img/a/manifests/v1", lists), "GET", "repository:img/a:pull");
        (await Client.GetAsync("/api/v1/tags?repository=img/a", lists)).Expect(404);
        (await Client.GetAsync("/api/v1/tags?repository=img/a", Bearer(await TokenAsync(Bob, "registry:catalog:* repository:img/a:pull")))).Expect(200);
    }

    [Fact]
    public async Task A_mount_needs_a_token_for_its_source_too()
    {
        await PushAsync(Alice, "img/a");
        var blob = await PushBlobAsync(Client, Alice, "img/a");
        var path = $"/v2/img/b/blobs/uploads/?mount={blob.Digest}&from=img/a";
        (await Client.PostAsync(path, null, Bearer(await TokenAsync(Alice, "repository:img/b:pull,push")))).Expect(202);
        (await Client.PostAsync(path, null, Bearer(await TokenAsync(Alice, "repository:img/b:pull,push repository:img/a:pull")))).Expect(201);
    }

    private async Task WriteUsersAsync(params string[] users)
    {
        var passwords = new Dictionary<string, string>(StringComparer.Ordinal) { ["alice"] = "wonder", ["bob"] = "build" };
        await File.WriteAllLinesAsync(Passwords, users.Select(user => Htpasswd.Line(user, passwords[user])));
    }

    private async Task<RegistryFactory> StartAsync(string anonymous) => await RegistryFactory.StartAsync(
        services => services.AddSingleton<TimeProvider>(_time),
        [
            ("Access:Anonymous", anonymous),
            ("Access:Htpasswd:Path", Passwords),
            ("Registries:team:Path", "team"),
            ("Registries:images:Hosts:0", "images.example"),
            .. Rule(0, "user:alice", "img/**", "pull", "push", "overwrite"),
            .. Rule(1, "user:bob", "img/*", "pull"),
            .. Rule(2, "user:alice", "shared/*", "push"),
            .. Rule(3, "user:bob", "shared/*", "push"),
        ]);

    private static IEnumerable<(string, string?)> Rule(int number, string subject, string glob, params string[] actions)
        =>
        [
            ($"Access:Rules:{number}:Subject", subject),
            ($"Access:Rules:{number}:Repositories:0", glob),
            .. actions.Select((action, i) => ($"Access:Rules:{number}:Actions:{i}", (string?)action)),
        ];

    private async Task<string> TokenAsync((string, string) who, string scope)
        => TokenOf((await Client.GetAsync($"/token?service=x&scope={Uri.EscapeDataString(scope)}", who)).Expect(200));

    private async Task<(string Token, string Refresh)> WithRefreshAsync((string, string) who)
    {
        var answer = (await Client.GetAsync("/token?offline_token=true", who)).Expect(200);
        return (TokenOf(answer), answer.Json.GetProperty("refresh_token").GetString()!);
    }

    private Task<Answer> PostAsync(string form, params (string Name, string Value)[] headers)
        => Client.PostAsync("/token", Encoding.ASCII.GetBytes(form), [("Content-Type", Form), .. headers]);

    private async Task<TestContent> PushAsync(
        (string, string) who, string repository, string tag = "v1", TestContent? again = null, RegistryClient? client = null, string? host = null)
    {
        client ??= Client;
        (string, string)[] headers = host is null ? [who] : [who, ("Host", host)];
        var manifest = again ?? ManifestBuilder.Image(
            await PushBlobAsync(client, TestContent.Config(), repository, headers),
            await PushBlobAsync(client, TestContent.Layer(), repository, headers)).Build();
        (await client.PutAsync(
            $"/v2/{repository}/manifests/{tag}", manifest.Bytes, [.. headers, ("Content-Type", manifest.MediaType)])).Expect(201);
        return manifest;
    }

    private static Task<TestContent> PushBlobAsync(RegistryClient client, (string, string) who, string repository)
        => PushBlobAsync(client, TestContent.Layer(), repository, [who]);

    private static async Task<TestContent> PushBlobAsync(
        RegistryClient client, TestContent blob, string repository, (string, string)[] headers)
    {
        (await client.PostAsync(
            $"/v2/{repository}/blobs/uploads/?digest={blob.Digest}", blob.Bytes,
            [.. headers, ("Content-Type", "application/octet-stream")])).Expect(201);
        return blob;
    }

    private static string TokenOf(Answer answer) => answer.Json.GetProperty("token").GetString()!;

    /// <summary>A token that counts and does not suffice: the client is told what to ask for.</summary>
    private static void Insufficient(Answer answer, string method, string scope)
    {
        Assert.Equal(scope, Challenged(answer.Expect(401)).Scope);
        Assert.EndsWith(",error=\"insufficient_scope\"", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        if (method != "HEAD")
            answer.ExpectError(401, "DENIED");
    }

    private static Answer Invalid(Answer answer)
    {
        Challenged(answer.ExpectError(401, "UNAUTHORIZED"));
        Assert.EndsWith(",error=\"invalid_token\"", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        return answer;
    }

    private static (string Realm, string Service, string? Scope) Challenged(Answer answer)
    {
        var match = Regex.Match(
            answer.Expect(401).Header("WWW-Authenticate") ?? "",
            "\\ABearer realm=\"(?<realm>[^\"\\\\]*)\",service=\"(?<service>[^\"\\\\]*)\"(,scope=\"(?<scope>[a-z0-9_:/.,*-]+)\")?(,error=\"(invalid_token|insufficient_scope)\")?\\z",
            RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5));
        Assert.True(match.Success, answer.ToString());
        return (match.Groups["realm"].Value, match.Groups["service"].Value, match.Groups["scope"] is { Success: true } scope ? scope.Value : null);
    }

    private static (string, string) Bearer(string token) => ("Authorization", $"Bearer {token}");

    private static (string, string) Basic(string user, string password)
        => ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}");
}
