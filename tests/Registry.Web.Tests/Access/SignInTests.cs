using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Web.Tests.Access;

/// <summary>Users of an htpasswd file, with rights by rules.</summary>
public sealed class SignInTests : IAsyncLifetime
{
    private const string Digest = "sha256:0000000000000000000000000000000000000000000000000000000000000001";

    private static readonly (string, string) Alice = Basic("alice", "wonder");
    private static readonly (string, string) Bob = Basic("bob", "pass:with:colons and ünïcode");
    private static readonly (string, string) Carol = Basic("carol", "nothing");

    private readonly TemporaryFolder _folder = new();
    private RegistryFactory? _registry;

    private RegistryClient Client => _registry!.Client;

    public async Task InitializeAsync()
    {
        await File.WriteAllLinesAsync(
            Passwords,
            [
                Htpasswd.Line("alice", "wonder"), Htpasswd.Line("bob", "pass:with:colons and ünïcode"),
                Htpasswd.Line("carol", "nothing"),
            ]);
        _registry = await StartAsync("None");
    }

    public async Task DisposeAsync()
    {
        await ((IAsyncDisposable)_registry!).DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Whoever_has_credentials_may_ask_whether_they_are_good()
    {
        foreach (var who in new[] { Alice, Bob, Carol })
            (await Client.GetAsync("/v2/", who)).Expect(200);
        (await Client.GetAsync("/v2/")).ExpectError(401, "UNAUTHORIZED");
    }

    [Theory]
    [InlineData("alice", "wrong")]
    [InlineData("alice", "")]
    [InlineData("nobody", "wonder")]
    [InlineData("", "wonder")]
    public async Task Wrong_credentials_are_refused_alike_with_a_challenge(string user, string password)
    {
        var expected = (await Client.GetAsync("/v2/", Basic("unknown", "x"))).ExpectError(401, "UNAUTHORIZED");
        foreach (var path in new[] { "/v2/", "/v2/img/a/manifests/v1", "/v2/_catalog" })
        {
            var answer = (await Client.GetAsync(path, Basic(user, password))).ExpectError(401, "UNAUTHORIZED");
            Assert.StartsWith($"Bearer realm=\"http://{Client.Address.Authority}/token\"", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
            Assert.Equal(Message(expected), Message(answer));
        }
    }

    [Theory]
    [InlineData("Basic")]
    [InlineData("Basic ")]
    [InlineData("Basic !!!")]
    [InlineData("Basic YWxpY2U=")] // no colon
    [InlineData("Basic /zr/")] // no UTF-8
    [InlineData("Digest username=\"alice\"")]
    [InlineData("garbage")]
    public async Task A_header_that_cannot_be_read_is_refused_and_names_what_is_wrong(string header)
    {
        var answer = (await Client.GetAsync("/v2/", ("Authorization", header))).ExpectError(401, "UNAUTHORIZED");
        Assert.Contains("Authorization header", Message(answer), StringComparison.Ordinal);
        Assert.DoesNotContain("eyJ", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_that_is_far_too_long_is_refused()
        => (await Client.GetAsync("/v2/", Basic("alice", new string('x', 5000)))).ExpectError(401, "UNAUTHORIZED");

    [Fact]
    public async Task Empty_credentials_are_none()
    {
        await using var open = await StartAsync("Pull");
        (await open.Client.GetAsync("/v2/_catalog", Basic("", ""))).Expect(200);
        (await open.Client.PostAsync("/v2/img/a/blobs/uploads/", null, Basic("", ""))).ExpectError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task Wrong_credentials_are_refused_where_none_are_needed()
    {
        await using var open = await StartAsync("Pull");
        (await open.Client.GetAsync("/v2/_catalog")).Expect(200);
        (await open.Client.GetAsync("/v2/_catalog", Basic("alice", "wrong"))).ExpectError(401, "UNAUTHORIZED");
        (await open.Client.GetAsync("/healthz/live", Basic("alice", "wrong"))).Expect(200);
    }

    [Fact]
    public async Task A_client_that_has_credentials_is_asked_for_them_unless_everybody_may_push()
    {
        await using (var open = await StartAsync("Pull"))
            Assert.StartsWith("Bearer", (await open.Client.GetAsync("/v2/")).Expect(401).Header("WWW-Authenticate"), StringComparison.Ordinal);
        await using (var open = await StartAsync("Push"))
            (await open.Client.GetAsync("/v2/")).Expect(200);
    }

    [Theory]
    [InlineData("/V2/")]
    [InlineData("/V2/_catalog")]
    [InlineData("/API/V1/registries")]
    public async Task No_spelling_of_a_path_passes_the_check(string path)
        => Assert.Equal(401, (await Client.GetAsync(path, Basic("alice", "wrong"))).Status);

    [Fact]
    public async Task What_watches_over_the_server_checks_no_password()
    {
        var verifier = new CountingProvider();
        await using var watched = await RegistryFactory.StartAsync(
            services => services.AddSingleton<IUserProvider>(verifier), ("Access:Htpasswd:Path", Passwords));

        foreach (var path in new[] { "/healthz/live", "/healthz/ready", "/metrics", "/swagger/registry/swagger.json" })
            (await watched.Client.GetAsync(path, Basic("mallory", "x"))).Expect(200);
        Assert.Equal(0, verifier.Count);
        (await watched.Client.GetAsync("/v2/", Basic("mallory", "x"))).Expect(401);
        Assert.Equal(1, verifier.Count);
    }

    [Fact]
    public async Task The_application_keeps_the_schemes_it_has()
    {
        await using var hosted = await RegistryFactory.StartAsync(
            services => Assert.DoesNotContain(
                services, service => service.ServiceType == typeof(IConfigureOptions<AuthenticationOptions>)),
            ("Access:Htpasswd:Path", Passwords));
        (await hosted.Client.GetAsync("/v2/", Alice)).Expect(200);
    }

    [Fact]
    public async Task Registries_without_anything_to_pull_are_not_listed()
    {
        Assert.Contains("default", (await Client.GetAsync("/api/v1/registries", Bob)).Expect(200).Text, StringComparison.Ordinal);
        Assert.Equal("[]", (await Client.GetAsync("/api/v1/registries", Carol)).Expect(200).Text);
    }

    [Fact]
    public async Task Each_does_what_its_rules_name_and_nothing_else()
    {
        var manifest = await PushAsync(Alice, "img/a");

        (await Client.GetAsync("/v2/img/a/manifests/v1", Bob)).Expect(200);
        (await Client.GetAsync($"/v2/img/a/manifests/{manifest.Digest}", Bob)).Expect(200);
        (await Client.GetAsync("/v2/img/a/tags/list", Bob)).Expect(200);
        Denied(await Client.PostAsync("/v2/img/a/blobs/uploads/", null, Bob));
        Denied(await Client.PutAsync("/v2/img/a/manifests/v2", manifest.Bytes, Bob, ("Content-Type", manifest.MediaType)));
        Denied(await Client.DeleteAsync("/v2/img/a/manifests/v1", Bob));
        Denied(await Client.DeleteAsync("/v2/img/a/manifests/v1", Alice));
        Denied(await Client.PostAsync("/v2/other/a/blobs/uploads/", null, Alice));
        (await Client.GetAsync("/v2/img/a/manifests/v1", Alice)).Expect(200);
    }

    [Fact]
    public async Task A_rule_that_denies_takes_a_part_of_what_another_gives()
    {
        await PushAsync(Alice, "img/secret/a");
        Denied(await Client.GetAsync("/v2/img/secret/a/manifests/v1", Bob));
        (await Client.GetAsync("/v2/img/secret/a/manifests/v1", Alice)).Expect(200);
    }

    [Fact]
    public async Task Who_may_push_and_not_overwrite_makes_tags_and_moves_none() // S-7
    {
        var first = await PushAsync(Alice, "img/a");
        (await PutAsync(first, "v1")).Expect(201); // the same again
        (await PutAsync(first, "v2")).Expect(201);

        var second = ManifestBuilder.Image(
            await PushBlobAsync(Alice, "img/a", TestContent.Config()), await PushBlobAsync(Alice, "img/a")).Build();
        var refused = Denied(await PutAsync(second, "v1"));
        Assert.Contains("'v1'", Message(refused), StringComparison.Ordinal);
        Denied(await PutAsync(second, $"{second.Digest}?tag=v3&tag=v2"));
        (await PutAsync(second, second.Digest)).Expect(201);

        (await Client.GetAsync("/v2/img/a/manifests/v1", Alice)).ExpectHeader("Docker-Content-Digest", first.Digest);
        (await Client.GetAsync("/v2/img/a/manifests/v3", Alice)).Expect(404);

        Task<Answer> PutAsync(TestContent manifest, string reference)
            => Client.PutAsync($"/v2/img/a/manifests/{reference}", manifest.Bytes, Alice, ("Content-Type", manifest.MediaType));
    }

    [Theory]
    [InlineData("GET", "/manifests/v1")]
    [InlineData("GET", $"/manifests/{Digest}")]
    [InlineData("GET", $"/blobs/{Digest}")]
    [InlineData("GET", "/tags/list")]
    [InlineData("GET", $"/referrers/{Digest}")]
    [InlineData("POST", "/blobs/uploads/")]
    [InlineData("DELETE", "/manifests/v1")]
    public async Task What_is_there_and_what_is_not_look_alike_to_who_may_not_see_it(string method, string path) // S-21
    {
        await PushAsync(Alice, "img/secret/a");
        foreach (var who in new[] { Bob, Carol })
        {
            var there = Denied(await Client.SendAsync(method, $"/v2/img/secret/a{path}", null, who));
            var missing = Denied(await Client.SendAsync(method, $"/v2/img/secret/b{path}", null, who));
            Assert.Equal(Message(missing), Message(there));
            Assert.Equal(missing.Headers.Select(header => header.Key), there.Headers.Select(header => header.Key));
        }
    }

    [Fact]
    public async Task Lists_show_what_the_caller_may_pull() // S-21
    {
        await PushAsync(Alice, "img/a");
        await PushAsync(Alice, "img/secret/a");

        foreach (var path in new[] { "/v2/_catalog", "/v2/tags/list", "/v1/search?q=img", "/api/v1/repositories" })
        {
            var (alice, bob, carol) = (await TextAsync(path, Alice), await TextAsync(path, Bob), await TextAsync(path, Carol));
            Assert.Contains("img/secret/a", alice, StringComparison.Ordinal);
            Assert.Contains("img/a", bob, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", bob, StringComparison.Ordinal);
            Assert.DoesNotContain("img/", carol, StringComparison.Ordinal);
        }

        async Task<string> TextAsync(string path, (string, string) who)
            => (await Client.GetAsync(path, who)).Expect(200).Text;
    }

    [Fact]
    public async Task The_admin_api_hides_what_may_not_be_pulled()
    {
        await PushAsync(Alice, "img/secret/a");
        (await Client.GetAsync("/api/v1/tags?repository=img/secret/a", Alice)).Expect(200);
        (await Client.GetAsync("/api/v1/tags?repository=img/secret/a", Bob)).Expect(404);
        (await Client.GetAsync("/api/v1/tags?repository=img/secret/none", Bob)).Expect(404);
        var refused = (await Client.GetAsync("/api/v1/tags?repository=img/a", Basic("alice", "wrong"))).Expect(401);
        Assert.Equal("application/problem+json", refused.Header("Content-Type")?.Split(';')[0]);
    }

    [Fact]
    public async Task A_blob_is_mounted_only_from_where_it_may_be_pulled() // S-2
    {
        await PushAsync(Alice, "img/secret/a");
        var blob = await PushBlobAsync(Alice, "img/secret/a");
        const string Target = "/v2/bob/x/blobs/uploads/";

        (await Client.PostAsync($"{Target}?mount={blob.Digest}&from=img/secret/a", null, Bob)).Expect(202);
        (await Client.PostAsync($"{Target}?mount={blob.Digest}", null, Bob)).Expect(202);
        (await Client.PostAsync($"{Target}?mount={Digest}&from=img/secret/a", null, Bob)).Expect(202);
        (await Client.PostAsync($"/v2/img/b/blobs/uploads/?mount={blob.Digest}&from=img/secret/a", null, Alice)).Expect(201);
    }

    [Fact]
    public async Task An_upload_is_its_users_alone()
    {
        var location = (await Client.PostAsync("/v2/shared/x/blobs/uploads/", null, Alice)).Expect(202).Location;

        (await Client.GetAsync(location, Bob)).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await Client.PatchAsync(location, [1, 2, 3], Bob)).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await Client.DeleteAsync(location, Bob)).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await Client.PatchAsync(location, [1, 2, 3], Alice)).Expect(202);
    }

    [Fact]
    public async Task A_user_that_is_taken_out_of_the_file_is_nobody_within_seconds()
    {
        (await Client.GetAsync("/v2/", Bob)).Expect(200);

        await File.WriteAllLinesAsync(Passwords, [Htpasswd.Line("alice", "wonder")]);

        var deadline = DateTime.UtcNow.AddSeconds(10);
        while ((await Client.GetAsync("/v2/", Bob)).Status != 401 && DateTime.UtcNow < deadline)
            await Task.Delay(100);
        (await Client.GetAsync("/v2/", Bob)).Expect(401);
        (await Client.GetAsync("/v2/", Alice)).Expect(200);
    }

    private string Passwords => Path.Combine(_folder.Path, "htpasswd");

    private async Task<RegistryFactory> StartAsync(string anonymous) => await RegistryFactory.StartAsync(
    [
        ("Access:Anonymous", anonymous),
        ("Access:Htpasswd:Path", Passwords),
        .. Rule(0, "user:alice", "img/**", "pull", "push"),
        .. Rule(1, "user:bob", "img/**", "pull"),
        .. Rule(2, "user:bob", "bob/**", "push"),
        .. Rule(3, "everyone", "shared/*", "push"),
        .. Rule(4, "user:bob", "img/secret/**", "pull"),
        ("Access:Rules:4:Effect", "deny"),
    ]);

    private static IEnumerable<(string, string?)> Rule(int number, string subject, string glob, params string[] actions)
        =>
        [
            ($"Access:Rules:{number}:Subject", subject),
            ($"Access:Rules:{number}:Repositories:0", glob),
            .. actions.Select((action, i) => ($"Access:Rules:{number}:Actions:{i}", (string?)action)),
        ];

    private async Task<TestContent> PushAsync((string, string) who, string repository)
    {
        var manifest = ManifestBuilder.Image(
            await PushBlobAsync(who, repository, TestContent.Config()), await PushBlobAsync(who, repository)).Build();
        (await Client.PutAsync(
            $"/v2/{repository}/manifests/v1", manifest.Bytes, who, ("Content-Type", manifest.MediaType))).Expect(201);
        return manifest;
    }

    private async Task<TestContent> PushBlobAsync((string, string) who, string repository, TestContent? blob = null)
    {
        blob ??= TestContent.Layer();
        (await Client.PostAsync(
            $"/v2/{repository}/blobs/uploads/?digest={blob.Digest}", blob.Bytes, who,
            ("Content-Type", "application/octet-stream"))).Expect(201);
        return blob;
    }

    private sealed class CountingProvider : IUserProvider
    {
        public string Name => "counting";

        public int Count { get; private set; }

        public Principal? Recall(string user, string password) => null;

        public Task<Result<Principal?>> VerifyAsync(string user, string password, CancellationToken cancellationToken)
        {
            Count++;
            return Task.FromResult<Result<Principal?>>(OciError.CredentialsWrong());
        }

        public ValueTask<Result<Principal?>> FindAsync(AccountReference account, CancellationToken cancellationToken)
            => new(Result<Principal?>.Of(null));
    }

    private static Answer Denied(Answer answer)
    {
        answer.ExpectError(403, "DENIED");
        Assert.Null(answer.Header("WWW-Authenticate"));
        return answer;
    }

    private static string? Message(Answer answer) => answer.Json.GetProperty("errors")[0].GetProperty("message").GetString();

    private static (string, string) Basic(string user, string password)
        => ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}");
}
