using System.Text.Json;
using static Registry.Web.Tests.Access.Credentials;

namespace Registry.Web.Tests.Admin;

/// <summary>Local users, their groups and passwords over HTTP.</summary>
public sealed class UsersTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";

    private RegistryFactory? _registry;
    private (string Name, string Value) _admin;

    private RegistryClient Client => _registry!.Client;

    public async Task InitializeAsync()
    {
        _registry = await RegistryFactory.StartWithAdminAsync(("Access:Anonymous", "None"));
        _admin = AdminOf(_registry);
    }

    public async Task DisposeAsync() => await ((IAsyncDisposable)_registry!).DisposeAsync();

    public static TheoryData<string, string> Routes => new()
    {
        { "GET", "/api/v1/users" }, { "POST", "/api/v1/users" }, { "GET", "/api/v1/users/alice" },
        { "PATCH", "/api/v1/users/alice" }, { "DELETE", "/api/v1/users/alice" },
        { "GET", "/api/v1/groups" }, { "POST", "/api/v1/groups" }, { "GET", "/api/v1/groups/dev" },
        { "PATCH", "/api/v1/groups/dev" }, { "DELETE", "/api/v1/groups/dev" }, { "GET", "/api/v1/groups/dev/members" },
        { "PUT", "/api/v1/groups/dev/members/alice" }, { "DELETE", "/api/v1/groups/dev/members/alice" },
    };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Only_who_may_administer_gets_anywhere(string method, string path) // S-1
    {
        await AddAsync("alice");
        await AddGroupAsync("dev");
        var body = method is "POST" or "PATCH" ? "{}"u8.ToArray() : null;

        var anonymous = (await Client.SendAsync(method, path, body, ("Content-Type", "application/json"))).ExpectProblem(401, "credentials");
        Assert.Equal("Basic realm=\"registry\", charset=\"UTF-8\"", anonymous.Header("WWW-Authenticate"));
        (await Client.SendAsync(method, path, body, ("Content-Type", "application/json"), Basic("alice", Password))).ExpectProblem(403, "admin");
        (await Client.GetAsync("/api/v1/users/alice", _admin)).Expect(200);
        (await Client.GetAsync("/api/v1/groups/dev", _admin)).Expect(200);
    }

    [Fact]
    public async Task A_bearer_token_gives_no_right_to_administer()
    {
        var token = (await Client.GetAsync("/token", _admin)).Expect(200).Json.GetProperty("token").GetString()!;
        (await Client.GetAsync("/api/v1/users", Bearer(token))).Expect(401);
    }

    [Fact]
    public async Task A_user_is_added_shown_and_removed()
    {
        var made = (await Client.SendJsonAsync("POST", "/api/v1/users", $$"""{"name":"alice","password":"{{Password}}"}""", _admin)).Expect(201);
        Assert.Equal("/api/v1/users/alice", made.Location);
        Assert.Matches("^\"[0-9]+\"\\z", made.Header("ETag"));
        var shown = (await Client.GetAsync(made.Location, _admin)).Expect(200).ExpectHeader("ETag", made.Header("ETag"));
        Assert.Equal(made.Text, shown.Text);
        Assert.Equal(["name", "enabled", "groups", "createdAt", "updatedAt"], shown.Json.EnumerateObject().Select(member => member.Name));
        (await Client.GetAsync("/v2/", Basic("alice", Password))).Expect(200);

        (await Client.DeleteAsync(made.Location, _admin)).Expect(204);
        (await Client.GetAsync(made.Location, _admin)).ExpectProblem(404, "alice");
        (await Client.DeleteAsync(made.Location, _admin)).ExpectProblem(404, "alice");
        (await Client.GetAsync("/v2/", Basic("alice", Password))).Expect(401);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_a_conflict()
    {
        await AddAsync("alice");
        (await Client.SendJsonAsync("POST", "/api/v1/users", """{"name":"alice","password":"another password"}""", _admin)).ExpectProblem(409, "alice");
        (await Client.GetAsync("/v2/", Basic("alice", Password))).Expect(200);
    }

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("{", "missing or of another type")]
    [InlineData("[]", "missing or of another type")]
    [InlineData("null", "JSON")]
    [InlineData("""{"name":"x"}""", "missing or of another type")]
    [InlineData("""{"name":"x","password":null}""", "missing or of another type")]
    [InlineData("""{"name":5,"password":"long enough"}""", "name")]
    [InlineData("""{"name":"x","password":"long enough","admin":true}""", "$.admin")] // S-13
    [InlineData("""{"name":"x","password":"long enough","groups":["admins"]}""", "$.groups")] // S-13
    [InlineData("""{"name":"x","password":"long enough","passwordHash":"AQAAAA"}""", "$.passwordHash")] // S-13
    [InlineData("""{"name":"x","password":"long enough","enabled":"yes"}""", "enabled")]
    [InlineData("""{"name":"a/b","password":"long enough"}""", "a/b")]
    [InlineData("""{"name":"","password":"long enough"}""", "name")]
    [InlineData("""{"name":"x","password":"short"}""", "8 characters")]
    [InlineData("""{"name":"password1","password":"Password1"}""", "name")]
    public async Task What_is_wrong_with_a_new_user_is_said(string json, string named)
    {
        var refused = (await Client.SendJsonAsync("POST", "/api/v1/users", json, _admin)).ExpectProblem(400, named);
        Assert.DoesNotContain("long enough", refused.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Registry.Web", refused.Text, StringComparison.Ordinal);
        Assert.Equal(["admin"], await NamesAsync(""));
    }

    [Fact]
    public async Task Another_content_type_is_no_user()
        => (await Client.PostAsync("/api/v1/users", "name=x&password=long+enough"u8.ToArray(),
            ("Content-Type", "application/x-www-form-urlencoded"), _admin)).ExpectProblem(400, "application/json");

    [Fact]
    public async Task A_body_of_any_length_is_not_read() // S-19
        => (await Client.SendJsonAsync("POST", "/api/v1/users", $$"""{"name":"x","password":"{{new string('x', 70_000)}}"}""", _admin))
            .ExpectProblem(413, "too large");

    [Fact]
    public async Task Lists_are_pages_with_filters_from_a_fixed_list()
    {
        foreach (var name in new[] { "alice", "bob", "bobby" })
            await AddAsync(name);
        (await Client.SendJsonAsync("PATCH", "/api/v1/users/bob", """{"enabled":false}""", _admin)).Expect(200);

        Assert.Equal(["admin", "alice", "bob", "bobby"], await NamesAsync(""));
        Assert.Equal(["bob", "bobby"], await NamesAsync("?prefix=bob"));
        Assert.Equal(["bobby"], await NamesAsync("?prefix=bob&enabled=true"));
        Assert.Equal(["bob"], await NamesAsync("?enabled=false"));
        var first = (await Client.GetAsync("/api/v1/users?n=3", _admin)).Expect(200).Json;
        Assert.Equal("bob", first.GetProperty("next").GetString());
        Assert.Equal(["bobby"], await NamesAsync("?n=3&last=bob"));
        Assert.Equal(4, (await NamesAsync("?passwordHash=AQ&q=AQ&hash=AQ")).Length); // S-15: nothing asks about it

        (await Client.GetAsync("/api/v1/users?n=x", _admin)).ExpectProblem(400, "'x'");
        (await Client.GetAsync("/api/v1/users?enabled=maybe", _admin)).ExpectProblem(400, "maybe");
        (await Client.GetAsync("/api/v1/users?prefix=%25", _admin)).ExpectProblem(400, "%");
    }

    [Fact]
    public async Task No_answer_tells_a_hash() // S-15
    {
        await AddAsync("alice");
        foreach (var path in new[] { "/api/v1/users", "/api/v1/users/alice", "/api/v1/users/admin" })
        {
            var text = (await Client.GetAsync(path, _admin)).Expect(200).Text;
            Assert.DoesNotContain("hash", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("password", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("AQAAAA", text, StringComparison.Ordinal); // what they begin with
        }
    }

    [Fact]
    public async Task Who_has_read_an_older_version_changes_nothing()
    {
        var before = (await AddAsync("alice")).Header("ETag")!;
        var after = (await Client.SendJsonAsync("PATCH", "/api/v1/users/alice", """{"password":"another password"}""", _admin, ("If-Match", before))).Expect(200).Header("ETag")!;
        Assert.NotEqual(before, after);

        foreach (var stale in new[] { before, $"W/{after}", "\"x\"", "nonsense", $"{before}, \"5\"" })
        {
            (await Client.SendJsonAsync("PATCH", "/api/v1/users/alice", """{"enabled":false}""", _admin, ("If-Match", stale))).ExpectProblem(412, "If-Match");
            (await Client.DeleteAsync("/api/v1/users/alice", _admin, ("If-Match", stale))).ExpectProblem(412, "If-Match");
        }

        (await Client.GetAsync("/v2/", Basic("alice", "another password"))).Expect(200);
        (await Client.SendJsonAsync("PATCH", "/api/v1/users/alice", """{"enabled":true}""", _admin, ("If-Match", "*"))).Expect(200);
        (await Client.DeleteAsync("/api/v1/users/alice", _admin)).Expect(204);
    }

    [Theory]
    [InlineData("{}", "nothing to change")]
    [InlineData("""{"password":"short"}""", "8 characters")]
    [InlineData("""{"name":"bob"}""", "unknown")]
    [InlineData("""{"enabled":null}""", "nothing to change")]
    public async Task A_change_that_is_none_is_refused(string json, string named)
    {
        await AddAsync("alice");
        (await Client.SendJsonAsync("PATCH", "/api/v1/users/alice", json, _admin)).ExpectProblem(400, named);
        (await Client.SendJsonAsync("PATCH", "/api/v1/users/nobody", """{"enabled":false}""", _admin)).ExpectProblem(404, "nobody");
    }

    [Fact]
    public async Task The_last_who_may_administer_stays()
    {
        (await Client.DeleteAsync("/api/v1/users/admin", _admin)).ExpectProblem(409, "administer");
        (await Client.SendJsonAsync("PATCH", "/api/v1/users/admin", """{"enabled":false}""", _admin)).ExpectProblem(409, "administer");
        (await Client.GetAsync("/api/v1/users", _admin)).Expect(200);
    }

    [Fact]
    public async Task A_group_is_added_filled_and_removed()
    {
        await AddAsync("alice");
        var made = await AddGroupAsync("dev", "who develops");
        Assert.Equal("/api/v1/groups/dev", made.Location);
        (await Client.PutAsync("/api/v1/groups/dev/members/alice", null, _admin)).Expect(204);
        (await Client.PutAsync("/api/v1/groups/dev/members/alice", null, _admin)).Expect(204);
        Assert.Equal("""{"items":["alice"],"next":null}""", (await Client.GetAsync("/api/v1/groups/dev/members", _admin)).Expect(200).Text);
        Assert.Equal("dev", (await Client.GetAsync("/api/v1/users/alice", _admin)).Expect(200).Json.GetProperty("groups")[0].GetString());

        (await Client.PutAsync("/api/v1/groups/dev/members/nobody", null, _admin)).ExpectProblem(404, "nobody");
        (await Client.PutAsync("/api/v1/groups/none/members/alice", null, _admin)).ExpectProblem(404, "none");
        (await Client.GetAsync("/api/v1/groups/none/members", _admin)).ExpectProblem(404, "none");

        var changed = (await Client.SendJsonAsync("PATCH", "/api/v1/groups/dev", """{"description":"others"}""", _admin, ("If-Match", made.Header("ETag")!))).Expect(200);
        Assert.Equal("others", changed.Json.GetProperty("description").GetString());
        (await Client.SendJsonAsync("PATCH", "/api/v1/groups/dev", """{"description":"x"}""", _admin, ("If-Match", made.Header("ETag")!))).ExpectProblem(412, "If-Match");
        (await Client.DeleteAsync("/api/v1/groups/dev", _admin, ("If-Match", made.Header("ETag")!))).ExpectProblem(412, "If-Match");

        (await Client.DeleteAsync("/api/v1/groups/dev/members/alice", _admin)).Expect(204);
        (await Client.DeleteAsync("/api/v1/groups/dev", _admin)).Expect(204);
        (await Client.GetAsync("/api/v1/groups/dev", _admin)).ExpectProblem(404, "dev");
        (await Client.GetAsync("/api/v1/users/alice", _admin)).Expect(200);
    }

    [Theory]
    [InlineData("""{"name":"dev","members":["alice"]}""", "unknown")] // S-13
    [InlineData("""{"name":"d:v"}""", "d:v")]
    [InlineData("""{"name":"dev","description":"two\nlines"}""", "description")]
    [InlineData("""{"description":"x"}""", "missing")]
    public async Task What_is_wrong_with_a_new_group_is_said(string json, string named)
        => (await Client.SendJsonAsync("POST", "/api/v1/groups", json, _admin)).ExpectProblem(400, named);

    [Fact]
    public async Task Groups_are_listed_in_pages()
    {
        foreach (var name in new[] { "dev", "ops", "devops" })
            await AddGroupAsync(name);
        (await Client.SendJsonAsync("POST", "/api/v1/groups", """{"name":"dev"}""", _admin)).ExpectProblem(409, "dev");
        var page = (await Client.GetAsync("/api/v1/groups?n=2&prefix=dev", _admin)).Expect(200).Json;
        Assert.Equal(["dev", "devops"], Names(page));
        Assert.Equal(JsonValueKind.Null, page.GetProperty("next").ValueKind);
        Assert.Equal(["ops"], Names((await Client.GetAsync("/api/v1/groups?last=devops", _admin)).Expect(200).Json));
    }

    [Fact]
    public async Task Everybody_changes_their_own_password_who_knows_it()
    {
        await AddAsync("alice");
        var alice = Basic("alice", Password);
        (await ChangeOwnAsync("a wrong guess", "staple on the table", alice)).ExpectProblem(403, "old password");
        (await ChangeOwnAsync(Password, "short", alice)).ExpectProblem(400, "8 characters");
        (await ChangeOwnAsync(Password, Password, alice)).ExpectProblem(400, "old one");
        (await ChangeOwnAsync(Password, "staple on the table")).ExpectProblem(401, "credentials");
        (await Client.SendJsonAsync("PUT", "/api/v1/user/password", """{"oldPassword":"x","newPassword":"y","user":"admin"}""", alice)).ExpectProblem(400, "unknown");
        var token = (await Client.GetAsync("/token", alice)).Expect(200).Json.GetProperty("token").GetString()!;
        (await Client.GetAsync("/v2/", Bearer(token))).Expect(200);
        // What was issued for something else cannot take the account over.
        (await ChangeOwnAsync(Password, "staple on the table", Bearer(token))).Expect(401);

        (await ChangeOwnAsync(Password, "staple on the table", alice)).Expect(204);

        (await Client.GetAsync("/v2/", alice)).Expect(401);
        (await Client.GetAsync("/v2/", Bearer(token))).Expect(401);
        (await Client.GetAsync("/v2/", Basic("alice", "staple on the table"))).Expect(200);
        var next = (await Client.GetAsync("/token", Basic("alice", "staple on the table"))).Expect(200).Json.GetProperty("token").GetString()!;
        (await Client.GetAsync("/v2/", Bearer(next))).Expect(200); // and not only after a second
    }

    [Fact]
    public async Task The_first_password_can_be_changed_like_any_other()
    {
        var first = File.ReadAllText(Path.Combine(_registry!.Data, "initial-admin-password")).Trim();
        (await ChangeOwnAsync(first, "a password of my own", _admin)).Expect(204);
        (await Client.GetAsync("/api/v1/users", _admin)).Expect(401);
        (await Client.GetAsync("/api/v1/users", Basic("admin", "a password of my own"))).Expect(200);
    }

    private Task<Answer> ChangeOwnAsync(string old, string wanted, params (string Name, string Value)[] who)
        => Client.SendJsonAsync("PUT", "/api/v1/user/password", $$"""{"oldPassword":"{{old}}","newPassword":"{{wanted}}"}""", who);

    private async Task<Answer> AddAsync(string name)
        => (await Client.SendJsonAsync("POST", "/api/v1/users", $$"""{"name":"{{name}}","password":"{{Password}}","enabled":true}""", _admin)).Expect(201);

    private async Task<Answer> AddGroupAsync(string name, string description = "")
        => (await Client.SendJsonAsync("POST", "/api/v1/groups", $$"""{"name":"{{name}}","description":"{{description}}"}""", _admin)).Expect(201);

    private async Task<string[]> NamesAsync(string query) => Names((await Client.GetAsync($"/api/v1/users{query}", _admin)).Expect(200).Json);

    private static string[] Names(JsonElement page)
        => [.. page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()!)];
}
