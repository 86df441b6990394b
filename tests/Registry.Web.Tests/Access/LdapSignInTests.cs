using System.Text;
using Registry.Testing.Processes;

namespace Registry.Web.Tests.Access;

/// <summary>
/// Users of a directory over HTTP, with the example of the design: the group <c>dev</c> is limited to <c>foo/img/**</c>.
/// </summary>
public sealed class LdapSignInTests : IAsyncLifetime
{
    private const string AliceDn = $"uid=alice,{OpenLdapProcess.People}";

    private static readonly (string, string) Alice = Basic("alice", "wonder land:1");
    private static readonly (string, string) Carol = Basic("carol", "singer");

    private OpenLdapProcess? _server;
    private RegistryFactory? _registry;

    private RegistryClient Client => _registry!.Client;

    public async Task InitializeAsync()
    {
        if (OpenLdapProcess.ReasonToSkip is not null)
            return;
        _server = await OpenLdapProcess.StartAsync();
        _registry = await StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (_registry is not null)
            await ((IAsyncDisposable)_registry).DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    [OpenLdapFact]
    public async Task Who_is_in_the_group_pushes_where_the_group_may_and_nowhere_else()
    {
        var manifest = await PushAsync(Alice, "foo/img/app");
        (await Client.GetAsync("/v2/foo/img/app/manifests/v1", Basic("BOB", "builder"))).Expect(200);
        (await Client.PostAsync("/v2/foo/app/blobs/uploads/", null, Alice)).ExpectError(403, "DENIED");
        (await Client.PostAsync("/v2/foo/img/blobs/uploads/", null, Alice)).ExpectError(403, "DENIED");
        (await Client.DeleteAsync($"/v2/foo/img/app/manifests/{manifest.Digest}", Alice)).ExpectError(403, "DENIED");
        Assert.Contains("foo/img/app", (await Client.GetAsync("/v2/_catalog", Alice)).Expect(200).Text, StringComparison.Ordinal);

        (await Client.GetAsync("/v2/", Carol)).Expect(200);
        (await Client.GetAsync("/v2/foo/img/app/manifests/v1", Carol)).ExpectError(403, "DENIED");
        Assert.DoesNotContain("foo", (await Client.GetAsync("/v2/_catalog", Carol)).Expect(200).Text, StringComparison.Ordinal);
    }

    [OpenLdapFact]
    public async Task Rules_on_the_user_hold_however_the_name_is_typed()
    {
        (await Client.PostAsync("/v2/foo/img/secret/a/blobs/uploads/", null, Alice)).ExpectError(403, "DENIED");
        (await Client.PostAsync("/v2/foo/img/secret/a/blobs/uploads/", null, Basic("aLiCe", "wonder land:1"))).ExpectError(403, "DENIED");
        (await Client.PostAsync("/v2/foo/img/secret/a/blobs/uploads/", null, Basic("bob", "builder"))).Expect(202);
    }

    [OpenLdapFact]
    public async Task Wrong_credentials_are_refused_alike_with_a_challenge()
    {
        var expected = (await Client.GetAsync("/v2/", Basic("nobody", "x"))).ExpectError(401, "UNAUTHORIZED");
        foreach (var who in new[]
        {
            Basic("alice", "wrong"), Basic("alice", ""), Basic("alice", "\0"), Basic("ali*", "wonder land:1"),
            Basic("twin", "one"), Basic(AliceDn, "wonder land:1"),
        })
        {
            var answer = (await Client.GetAsync("/v2/", who)).ExpectError(401, "UNAUTHORIZED");
            Assert.Equal(Message(expected), Message(answer));
            Assert.StartsWith("Bearer realm=", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        }
    }

    [OpenLdapFact]
    public async Task A_bearer_token_does_what_the_group_may_until_the_group_is_left() // S-10
    {
        // As docker does it: a challenge, a token with Basic, the request with Bearer.
        var challenge = (await Client.PostAsync("/v2/foo/img/doc/blobs/uploads/")).ExpectError(401, "UNAUTHORIZED");
        Assert.Contains("repository:foo/img/doc:", challenge.Header("WWW-Authenticate"), StringComparison.Ordinal);
        var token = await TokenAsync(Alice, "foo/img/doc");
        (await Client.PostAsync("/v2/foo/img/doc/blobs/uploads/", null, token)).Expect(202);
        (await Client.PostAsync("/v2/foo/doc/blobs/uploads/", null, token)).ExpectError(401, "DENIED");
        (await Client.PostAsync("/v2/foo/img/doc/blobs/uploads/", null, await TokenAsync(Carol, "foo/img/doc"))).Expect(401);

        await _server!.RemoveFromGroupAsync("dev", AliceDn);
        await UntilAsync(async () => (await Client.PostAsync("/v2/foo/img/doc/blobs/uploads/", null, token)).Status == 401);
        await UntilAsync(async () => (await Client.PostAsync("/v2/foo/img/doc/blobs/uploads/", null, Alice)).Status == 403);
        (await Client.GetAsync("/v2/", Alice)).Expect(200);

        await _server.ModifyAsync($"dn: {AliceDn}\nchangetype: delete\n");
        await UntilAsync(async () => (await Client.GetAsync("/v2/", token)).Status == 401);
        await UntilAsync(async () => (await Client.GetAsync("/v2/", Alice)).Status == 401);
    }

    [OpenLdapFact]
    public async Task Access_tokens_are_the_persons_however_the_name_is_typed()
    {
        var made = (await Client.PostAsync(
            "/api/v1/tokens", "{}"u8.ToArray(), Basic("aLICE", "wonder land:1"), ("Content-Type", "application/json"))).Expect(201);
        var mine = (await Client.GetAsync("/api/v1/tokens", Alice)).Expect(200).Json.GetProperty("items");
        Assert.Equal("alice", Assert.Single(mine.EnumerateArray()).GetProperty("user").GetString());
        (await Client.GetAsync("/v2/", Basic("alice", made.Json.GetProperty("secret").GetString()!))).Expect(200);
    }

    [OpenLdapFact]
    public async Task A_person_of_the_directory_can_be_explained_with_todays_groups()
    {
        var admin = Credentials.AdminOf(_registry!);
        async Task<Answer> ExplainAsync(string user)
            => await Client.GetAsync($"/api/v1/explain?user={user}&repository=foo/img/a&action=push", admin);
        var alice = (await ExplainAsync("alice")).Expect(200).Json;
        Assert.True(alice.GetProperty("allowed").GetBoolean());
        Assert.Equal("Registry:Access:Rules:0", alice.GetProperty("source").GetString());
        Assert.False((await ExplainAsync("carol")).Expect(200).Json.GetProperty("allowed").GetBoolean());
        (await ExplainAsync("ALICE")).Expect(404); // rules know nobody by that name
        (await ExplainAsync("nobody")).Expect(404);
    }

    [OpenLdapFact]
    public async Task Who_is_added_locally_under_the_name_of_a_person_ends_that_persons_tokens()
    {
        var token = await TokenAsync(Carol, "foo/img/doc");
        var made = (await Client.PostAsync("/api/v1/tokens", "{}"u8.ToArray(), Carol, ("Content-Type", "application/json"))).Expect(201);
        var hers = Basic("carol", made.Json.GetProperty("secret").GetString()!);
        (await Client.GetAsync("/v2/", token)).Expect(200);
        (await Client.GetAsync("/v2/", hers)).Expect(200);

        (await Client.SendJsonAsync(
            "POST", "/api/v1/users", """{ "name": "carol", "password": "another carol" }""", Credentials.AdminOf(_registry!))).Expect(201);

        (await Client.GetAsync("/v2/", token)).Expect(401);
        await UntilAsync(async () => (await Client.GetAsync("/v2/", hers)).Status == 401);
        (await Client.GetAsync("/v2/", Basic("carol", "another carol"))).Expect(200);
    }

    [OpenLdapFact]
    public async Task A_refresh_token_is_worth_what_its_user_is_now()
    {
        var form = "grant_type=password&service=s&client_id=c&access_type=offline&username=carol&password=singer"u8.ToArray();
        var issued = (await Client.PostAsync("/token", form, ("Content-Type", "application/x-www-form-urlencoded"))).Expect(200);
        var refresh = Encoding.UTF8.GetBytes(
            $"grant_type=refresh_token&service=s&client_id=c&refresh_token={issued.Json.GetProperty("refresh_token").GetString()}");
        Task<Answer> RefreshAsync() => Client.PostAsync("/token", refresh, ("Content-Type", "application/x-www-form-urlencoded"));
        (await RefreshAsync()).Expect(200);

        await _server!.ModifyAsync($"dn: uid=carol,{OpenLdapProcess.People}\nchangetype: delete\n");
        await UntilAsync(async () => (await RefreshAsync()).Status == 401);
    }

    [OpenLdapFact]
    public async Task A_locked_account_is_a_wrong_password()
    {
        (await Client.GetAsync("/v2/", Basic("mallory", "guess"))).Expect(200);
        var token = await TokenAsync(Basic("mallory", "guess"), "foo/img/doc");
        foreach (var guess in new[] { "a", "b" })
            (await Client.GetAsync("/v2/", Basic("mallory", guess))).Expect(401);
        await UntilAsync(async () => (await Client.GetAsync("/v2/", Basic("mallory", "guess"))).Status == 401);
        await UntilAsync(async () => (await Client.GetAsync("/v2/", token)).Status == 401);
    }

    [OpenLdapFact]
    public async Task While_the_directory_is_down_nobody_is_told_that_a_password_is_wrong()
    {
        (await Client.GetAsync("/v2/", Alice)).Expect(200);
        var token = await TokenAsync(Alice, "foo/img/doc");
        await _server!.KillAsync();

        var answer = (await Client.GetAsync("/v2/", Basic("bob", "builder"))).Expect(503);
        Assert.DoesNotContain(_server.Url, answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", answer.Text, StringComparison.Ordinal);
        Assert.Null(answer.Header("WWW-Authenticate"));
        (await Client.GetAsync("/v2/", Basic("nobody", "x"))).Expect(503);
        (await Client.GetAsync("/token?service=x", Basic("bob", "builder"))).Expect(503);
        await UntilAsync(async () => (await Client.GetAsync("/v2/", Alice)).Status == 503);
        await UntilAsync(async () => (await Client.PostAsync("/v2/foo/img/doc/blobs/uploads/", null, token)).Status == 503);
        (await Client.GetAsync("/v2/")).Expect(401);
        (await Client.GetAsync("/healthz/live")).Expect(200);

        await _server.StartAsync();
        (await Client.GetAsync("/v2/", Basic("bob", "builder"))).Expect(200);
        await UntilAsync(async () => (await Client.PostAsync("/v2/foo/img/doc/blobs/uploads/", null, token)).Status == 202);
    }

    [OpenLdapFact]
    public async Task A_user_of_a_file_is_the_files_alone()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "htpasswd");
        await File.WriteAllTextAsync(file, Htpasswd.Line("alice", "of the file"));
        await using var both = await StartAsync(("Access:Htpasswd:Path", file));
        (await both.Client.GetAsync("/v2/", Basic("alice", "of the file"))).Expect(200);
        (await both.Client.GetAsync("/v2/", Alice)).Expect(401);
        (await both.Client.GetAsync("/v2/", Carol)).Expect(200);
        (await both.Client.PostAsync("/v2/foo/img/a/blobs/uploads/", null, Basic("alice", "of the file"))).Expect(403);
    }

    private async Task<RegistryFactory> StartAsync(params (string, string?)[] others) => await RegistryFactory.StartWithAdminAsync(
    [
        ("Access:Anonymous", "None"),
        .. _server!.Settings().Select(setting => ($"Access:Ldap:0:{setting.Key}", (string?)setting.Value)),
        ("Access:Ldap:0:CacheFor", "00:00:01"),
        ("Access:Rules:0:Subject", "group:dev"),
        ("Access:Rules:0:Repositories:0", "foo/img/**"),
        ("Access:Rules:0:Actions:0", "Pull"),
        ("Access:Rules:0:Actions:1", "Push"),
        ("Access:Rules:1:Subject", "user:alice"),
        ("Access:Rules:1:Repositories:0", "foo/img/secret/**"),
        ("Access:Rules:1:Actions:0", "Push"),
        ("Access:Rules:1:Effect", "Deny"),
        .. others,
    ]);

    private async Task<(string, string)> TokenAsync((string, string) who, string repository)
    {
        var issued = await Client.GetAsync($"/token?service={Client.Address.Authority}&scope=repository:{repository}:pull,push", who);
        return ("Authorization", $"Bearer {issued.Expect(200).Json.GetProperty("token").GetString()}");
    }

    private async Task<TestContent> PushAsync((string, string) who, string repository)
    {
        var manifest = ManifestBuilder.Image(
            await PushBlobAsync(who, repository, TestContent.Config()), await PushBlobAsync(who, repository, TestContent.Layer()))
            .Build();
        (await Client.PutAsync(
            $"/v2/{repository}/manifests/v1", manifest.Bytes, who, ("Content-Type", manifest.MediaType))).Expect(201);
        return manifest;
    }

    private async Task<TestContent> PushBlobAsync((string, string) who, string repository, TestContent blob)
    {
        (await Client.PostAsync(
            $"/v2/{repository}/blobs/uploads/?digest={blob.Digest}", blob.Bytes, who,
            ("Content-Type", "application/octet-stream"))).Expect(201);
        return blob;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (!await holds())
        {
            Assert.True(DateTime.UtcNow < deadline, "It has not come true in time.");
            await Task.Delay(50);
        }
    }

    private static string? Message(Answer answer) => answer.Json.GetProperty("errors")[0].GetProperty("message").GetString();

    private static (string, string) Basic(string user, string password)
        => ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}");
}
