using Registry.Application.Access;
using Registry.Application.Access.Users;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Infrastructure.Tests.Access;

public sealed class SqliteLocalTests : LocalContract<SqliteTestDatabase>;

public sealed class PostgreSqlLocalTests : LocalContract<PostgreSqlTestDatabase>;

/// <summary>Local users and groups as they are kept, and what a change of them ends.</summary>
public abstract class LocalContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    private const string Password = "a good password";

    private static readonly AccountName Alice = AccountName.Parse("alice");
    private static readonly AccountName Bob = AccountName.Parse("bob");
    private static readonly AccountName Admins = AccountName.Parse("admins");

    [Fact]
    public async Task A_user_is_found_as_it_was_added()
    {
        using var node = await StartAsync();
        var added = Value(await node.Users.AddAsync(Alice, Password, enabled: true, CancellationToken.None));

        Assert.Equal(("alice", true, Time.Now, Time.Now), (added.Name, added.Enabled, added.CreatedAt, added.UpdatedAt));
        Assert.Empty(added.Groups);
        var found = await node.Users.FindAsync(Alice, CancellationToken.None);
        Assert.Equal((added.Name, added.Version), (found?.Name, found?.Version));
        Assert.Null(await node.Users.FindAsync(AccountName.Parse("Alice"), CancellationToken.None));
    }

    [Fact]
    public async Task Of_a_password_there_is_a_hash_of_210_000_rounds_of_SHA512()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password);
        await node.AddAsync("bob", Password);

        var hashes = new List<string?>();
        foreach (var name in new[] { "alice", "bob" })
            hashes.Add(await ScalarAsync<string>("SELECT password_hash FROM users WHERE name = @name", new { name }));
        Assert.NotEqual(hashes[0], hashes[1]);
        Assert.All(hashes, hash =>
        {
            var bytes = Convert.FromBase64String(hash!);
            Assert.Equal([1, 0, 0, 0, 2, 0x00, 0x03, 0x34, 0x50], bytes[..9]); // version 3, HMAC-SHA512, 210000
        });
    }

    [Fact]
    public async Task A_name_is_taken_once()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password);
        Assert.Equal(ErrorReason.Conflict, Reason(await node.Users.AddAsync(Alice, "another password", true, CancellationToken.None)));
        Assert.NotNull(await node.SignInAsync("alice", Password));
    }

    [Fact]
    public async Task Lists_are_pages_in_byte_order_and_can_be_narrowed()
    {
        using var node = await StartAsync();
        foreach (var name in new[] { "bob", "Bob", "b", "bo-b", "alice", "bobby" })
            await node.AddAsync(name, Password);
        await node.Users.ChangeAsync(AccountName.Parse("bobby"), new(null, Enabled: false), null, LocalNode.Nobody, CancellationToken.None);

        Assert.Equal("Bob alice b bo-b bob bobby", await ListAsync(node, "", null, 10, null));
        Assert.Equal("Bob alice +", await ListAsync(node, "", null, 2, null));
        Assert.Equal("b bo-b +", await ListAsync(node, "", null, 2, "alicf"));
        Assert.Equal("bo-b bob bobby", await ListAsync(node, "bo", null, 10, null));
        Assert.Equal("bob", await ListAsync(node, "bo", true, 10, "bo-b"));
        Assert.Equal("bobby", await ListAsync(node, "", false, 10, null));
        Assert.Equal("", await ListAsync(node, "", null, 0, null));
    }

    [Fact]
    public async Task A_list_shows_the_groups_of_each()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password, "dev", "admins");
        await node.AddAsync("bob", Password);
        await node.AddAsync("carol", Password, "dev");

        var page = await node.Users.ListAsync(new("", null), new(10, null), CancellationToken.None);
        Assert.Equal(["admins,dev", "", "dev"], page.Items.Select(user => string.Join(',', user.Groups)));
    }

    [Fact]
    public async Task A_change_is_made_only_to_the_version_that_it_is_about()
    {
        using var node = await StartAsync();
        var first = Value(await node.Users.AddAsync(Alice, Password, enabled: true, CancellationToken.None));
        var second = Value(await ChangeAsync(node, Alice, new("another password", null), first.Version));

        Assert.NotEqual(first.Version, second.Version);
        Assert.Equal(ErrorReason.Changed, Reason(await ChangeAsync(node, Alice, new(null, Enabled: false), first.Version)));
        Assert.Equal(ErrorReason.Changed, Reason(await node.Users.DeleteAsync(Alice, first.Version, LocalNode.Nobody, CancellationToken.None)));
        Assert.True((await node.Users.FindAsync(Alice, CancellationToken.None))?.Enabled);
        Assert.False(Value(await ChangeAsync(node, Alice, new(null, Enabled: false), second.Version)).Enabled);
    }

    [Fact]
    public async Task What_is_not_there_is_not_changed()
    {
        using var node = await StartAsync();
        Assert.Equal(ErrorReason.NotFound, Reason(await ChangeAsync(node, Alice, new("another password", null), null)));
        Assert.Equal(ErrorReason.NotFound, Reason(await node.Users.DeleteAsync(Alice, null, LocalNode.Nobody, CancellationToken.None)));
        Assert.Equal("0", await CountsAsync("revocations"));
    }

    [Fact]
    public async Task A_namesake_that_is_made_later_has_another_version()
    {
        using var node = await StartAsync();
        var first = Value(await node.Users.AddAsync(Alice, Password, enabled: true, CancellationToken.None));
        Value(await node.Users.DeleteAsync(Alice, null, LocalNode.Nobody, CancellationToken.None));
        Time.Advance(TimeSpan.FromSeconds(1));
        var second = Value(await node.Users.AddAsync(Alice, Password, enabled: true, CancellationToken.None));
        Assert.NotEqual(first.Version, second.Version);
    }

    [Theory]
    [InlineData("password")]
    [InlineData("disable")]
    [InlineData("delete")]
    public async Task Tokens_end_with_another_password_and_with_whoever_had_them(string change)
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password);
        await node.AddAsync("bob", Password);
        await HoldTokensAsync("alice");
        await HoldTokensAsync("bob");

        Value(change switch
        {
            "password" => await ChangeAsync(node, Alice, new("another password", null), null),
            "disable" => await ChangeAsync(node, Alice, new(null, Enabled: false), null),
            _ => await node.Users.DeleteAsync(Alice, null, LocalNode.Nobody, CancellationToken.None),
        });

        Assert.Equal(["user:alice"], node.Changes.Current.RevokedBefore.Keys);
        Assert.Equal(Time.Now, node.Changes.Current.RevokedBefore["user:alice"]);
        Assert.Equal("user:bob", await ScalarAsync<string>("SELECT principal FROM refresh_tokens"));
        // Access tokens are judged by their owner's state; only those of nobody go.
        Assert.Equal(change == "delete" ? 1 : 2, await ScalarAsync<long>("SELECT COUNT(*) FROM access_tokens"));
    }

    [Fact]
    public async Task Letting_somebody_in_again_ends_nothing()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password);
        Value(await ChangeAsync(node, Alice, new(null, Enabled: true), null));
        Assert.Equal("0", await CountsAsync("revocations"));
    }

    [Fact]
    public async Task What_is_deleted_leaves_nothing_behind_that_a_namesake_would_get()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password, "dev");
        await HoldTokensAsync("alice");
        Value(await node.Users.DeleteAsync(Alice, null, LocalNode.Nobody, CancellationToken.None));
        Assert.Equal("0 0 0 0", await CountsAsync("users", "group_members", "access_tokens", "refresh_tokens"));

        await node.AddAsync("alice", Password);
        Assert.Equal([AccessSubject.User("alice")], (await node.SignInAsync("alice", Password))?.Subjects);
    }

    [Fact]
    public async Task The_last_who_may_administer_is_neither_locked_out_nor_removed()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password, "admins");
        await node.AddAsync("bob", Password, "dev");
        foreach (var refused in new[]
        {
            Errors(await node.Users.ChangeAsync(Alice, new(null, Enabled: false), null, LocalNode.AdminsGroup, CancellationToken.None)),
            Errors(await node.Users.DeleteAsync(Alice, null, LocalNode.AdminsGroup, CancellationToken.None)),
            Errors(await node.Groups.LeaveAsync(Admins, Alice, LocalNode.AdminsGroup, CancellationToken.None)),
            Errors(await node.Groups.DeleteAsync(Admins, null, LocalNode.AdminsGroup, CancellationToken.None)),
        })
        {
            Assert.Equal(ErrorReason.Conflict, refused[0].Reason);
            Assert.Contains("administer", refused[0].Message, StringComparison.Ordinal);
        }

        Assert.NotNull(await node.SignInAsync("alice", Password));
        Value(await node.Users.DeleteAsync(Bob, null, LocalNode.AdminsGroup, CancellationToken.None));
        Value(await node.Groups.DeleteAsync(AccountName.Parse("dev"), null, LocalNode.AdminsGroup, CancellationToken.None));
    }

    [Fact]
    public async Task One_of_two_who_may_administer_can_go()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password, "admins");
        await node.AddAsync("bob", Password, "admins");
        Value(await node.Users.ChangeAsync(Alice, new(null, Enabled: false), null, LocalNode.AdminsGroup, CancellationToken.None));
        // who is locked out does not count
        Assert.Equal(ErrorReason.Conflict, Reason(await node.Users.DeleteAsync(Bob, null, LocalNode.AdminsGroup, CancellationToken.None)));
        Value(await node.Users.DeleteAsync(Alice, null, LocalNode.AdminsGroup, CancellationToken.None));
    }

    [Fact]
    public async Task Of_two_who_remove_each_other_at_once_one_stays()
    {
        using var node = await StartAsync();
        using var other = await new LocalNode(Database, Time).KnowAsync();
        for (var round = 0; round < 5; round++)
        {
            await node.AddAsync("alice", Password, "admins");
            await node.AddAsync("bob", Password, "admins");
            var both = await Task.WhenAll(
                node.Users.DeleteAsync(Alice, null, LocalNode.AdminsGroup, CancellationToken.None),
                other.Users.DeleteAsync(Bob, null, LocalNode.AdminsGroup, CancellationToken.None));
            Assert.Single(both, result => result.TryGet(out _, out _));
            Value(await node.Users.DeleteAsync(Alice, null, LocalNode.Nobody, CancellationToken.None), orNothing: true);
            Value(await node.Users.DeleteAsync(Bob, null, LocalNode.Nobody, CancellationToken.None), orNothing: true);
        }
    }

    [Fact]
    public async Task Groups_are_kept_described_and_listed()
    {
        using var node = await StartAsync();
        var dev = Value(await node.Groups.AddAsync(AccountName.Parse("dev"), "who develops", CancellationToken.None));
        Value(await node.Groups.AddAsync(AccountName.Parse("ops"), "", CancellationToken.None));
        Assert.Equal(ErrorReason.Conflict, Reason(await node.Groups.AddAsync(AccountName.Parse("dev"), "", CancellationToken.None)));
        Assert.Equal("who develops", (await node.Groups.FindAsync(AccountName.Parse("dev"), CancellationToken.None))?.Description);

        Value(await node.Groups.DescribeAsync(AccountName.Parse("dev"), "others", dev.Version, CancellationToken.None));
        Assert.Equal(ErrorReason.Changed, Reason(await node.Groups.DescribeAsync(AccountName.Parse("dev"), "x", dev.Version, CancellationToken.None)));
        Assert.Equal(ErrorReason.Changed, Reason(await node.Groups.DeleteAsync(AccountName.Parse("dev"), dev.Version, LocalNode.Nobody, CancellationToken.None)));

        var page = await node.Groups.ListAsync("", new(1, null), CancellationToken.None);
        Assert.Equal(("dev", true), (Assert.Single(page.Items).Name, page.More));
        Assert.Equal(["ops"], (await node.Groups.ListAsync("o", new(10, "dev"), CancellationToken.None)).Items.Select(group => group.Name));
    }

    [Fact]
    public async Task Members_join_and_leave_any_number_of_times()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password, "dev");
        await node.AddAsync("bob", Password, "dev");
        var dev = AccountName.Parse("dev");
        Value(await node.Groups.JoinAsync(dev, Alice, CancellationToken.None));
        Assert.Equal(["alice", "bob"], Value(await node.Groups.ListMembersAsync(dev, new(10, null), CancellationToken.None)).Items);
        Assert.Equal(["bob"], Value(await node.Groups.ListMembersAsync(dev, new(10, "alice"), CancellationToken.None)).Items);

        Value(await node.Groups.LeaveAsync(dev, Alice, LocalNode.Nobody, CancellationToken.None));
        Value(await node.Groups.LeaveAsync(dev, Alice, LocalNode.Nobody, CancellationToken.None));
        Assert.Equal(["bob"], Value(await node.Groups.ListMembersAsync(dev, new(10, null), CancellationToken.None)).Items);

        var none = AccountName.Parse("none");
        Assert.Equal(ErrorReason.NotFound, Reason(await node.Groups.JoinAsync(dev, none, CancellationToken.None)));
        Assert.Equal(ErrorReason.NotFound, Reason(await node.Groups.JoinAsync(none, Alice, CancellationToken.None)));
        Assert.Equal(ErrorReason.NotFound, Reason(await node.Groups.LeaveAsync(none, Alice, LocalNode.Nobody, CancellationToken.None)));
        Assert.Equal(ErrorReason.NotFound, Reason(await node.Groups.ListMembersAsync(none, new(10, null), CancellationToken.None)));
        Value(await node.Groups.DeleteAsync(dev, null, LocalNode.Nobody, CancellationToken.None));
        Assert.Equal("2 0", await CountsAsync("users", "group_members"));
    }

    [Fact]
    public async Task Who_has_the_password_is_that_user_in_its_groups()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password, "dev", "admins");
        var alice = await node.SignInAsync("alice", Password);

        Assert.Equal("user:alice", alice?.Name);
        Assert.Equal(new AccountReference(ProviderNames.Local, "alice"), alice?.Account);
        Assert.Equal(AccessSubject.User("alice"), alice?.Subjects[0]);
        Assert.Equal(["group:admins", "group:dev"], alice?.Subjects.Skip(1).Select(subject => subject.Text));
    }

    [Fact]
    public async Task Everybody_else_is_nobody()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password);
        await node.AddAsync("bob", Password);
        Value(await ChangeAsync(node, Bob, new(null, Enabled: false), null));

        foreach (var (user, password) in new[] { ("alice", "another password"), ("alice", ""), ("bob", Password), ("bob", "x") })
        {
            var refused = await node.Provider.VerifyAsync(user, password, CancellationToken.None);
            Assert.False(refused.TryGet(out _, out var errors));
            Assert.Equal(ErrorReason.Unauthenticated, errors[0].Reason);
        }

        // The next provider is asked about whom this one does not know.
        Assert.True((await node.Provider.VerifyAsync("Alice", Password, CancellationToken.None)).TryGet(out var unknown, out _));
        Assert.Null(unknown);
        Assert.Null((await node.Provider.FindAsync(new(ProviderNames.Local, "bob"), CancellationToken.None)).Match(found => found, _ => Principal.Anonymous));
    }

    [Fact]
    public async Task Who_is_known_costs_no_query()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password);
        Assert.NotNull(await node.SignInAsync("alice", Password));

        var reads = node.Database.Reads;
        for (var request = 0; request < 3; request++)
        {
            Assert.Equal("user:alice", node.Provider.Recall("alice", Password)?.Name);
            Assert.Null(node.Provider.Recall("alice", "another password"));
            Assert.NotNull(Value(await node.Provider.FindAsync(new(ProviderNames.Local, "alice"), CancellationToken.None)));
        }

        Assert.Equal(reads, node.Database.Reads);
    }

    [Theory]
    [InlineData("password")]
    [InlineData("disable")]
    [InlineData("delete")]
    [InlineData("join")]
    public async Task A_change_counts_at_once_where_it_is_made_and_elsewhere_when_it_is_looked_for(string change)
    {
        using var node = await StartAsync();
        using var other = await new LocalNode(Database, Time).KnowAsync();
        await node.AddAsync("alice", Password);
        await other.KnowAsync();
        foreach (var each in new[] { node, other })
        {
            Assert.NotNull(await each.SignInAsync("alice", Password));
            Assert.NotNull(each.Provider.Recall("alice", Password));
        }

        if (change == "join")
            Value(await node.Groups.AddAsync(Admins, "", CancellationToken.None));
        var done = change switch
        {
            "password" => (await ChangeAsync(node, Alice, new("another password", null), null)).TryGet(out _, out _),
            "disable" => (await ChangeAsync(node, Alice, new(null, Enabled: false), null)).TryGet(out _, out _),
            "join" => (await node.Groups.JoinAsync(Admins, Alice, CancellationToken.None)).TryGet(out _, out _),
            _ => (await node.Users.DeleteAsync(Alice, null, LocalNode.Nobody, CancellationToken.None)).TryGet(out _, out _),
        };
        Assert.True(done);

        Assert.Null(node.Provider.Recall("alice", Password));
        Assert.NotNull(other.Provider.Recall("alice", Password)); // it has not looked yet
        await other.KnowAsync();
        Assert.Null(other.Provider.Recall("alice", Password));
        foreach (var each in new[] { node, other })
        {
            var now = await each.SignInAsync("alice", Password);
            Assert.Equal(change == "join", now is not null);
            Assert.Equal(change == "join", now?.Subjects.Contains(AccessSubject.Group("admins")) is true);
            var found = Value(await each.Provider.FindAsync(new(ProviderNames.Local, "alice"), CancellationToken.None));
            Assert.Equal(change is "password" or "join", found is not null);
        }
    }

    [Fact]
    public async Task Nobody_is_known_any_more_where_changes_cannot_be_looked_for()
    {
        using var node = await StartAsync();
        await node.AddAsync("alice", Password);
        Assert.NotNull(await node.SignInAsync("alice", Password));
        Time.Advance(TimeSpan.FromSeconds(3.9));
        Assert.NotNull(node.Provider.Recall("alice", Password));

        Time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Null(node.Provider.Recall("alice", Password));
        var reads = node.Database.Reads;
        Assert.NotNull(Value(await node.Provider.FindAsync(new(ProviderNames.Local, "alice"), CancellationToken.None)));
        Assert.Equal(reads + 1, node.Database.Reads);
    }

    private Task<LocalNode> StartAsync() => new LocalNode(Database, Time).KnowAsync();

    private Task HoldTokensAsync(string user) => Database.WriteAsync(
        async session =>
        {
            await session.ExecuteAsync(
                """
                INSERT INTO refresh_tokens (secret_hash, principal, provider, account_key, service, issued_at, expires_at)
                VALUES (@hash, @principal, 'local', @user, 'registry', registry_now(), registry_now() + 1000000)
                """,
                ("@hash", Guid.NewGuid().ToByteArray()), ("@principal", $"user:{user}"), ("@user", user));
            return await session.ExecuteAsync(
                """
                INSERT INTO access_tokens (id, owner_provider, owner_key, description, secret_hash, version, created_at)
                VALUES (@id, 'local', @user, '', @hash, 1, registry_now())
                """,
                ("@id", Guid.NewGuid().ToString()), ("@user", user), ("@hash", Guid.NewGuid().ToByteArray()));
        },
        durable: false,
        CancellationToken.None);

    private static Task<Result<LocalUser>> ChangeAsync(LocalNode node, AccountName name, UserChange change, long? version)
        => node.Users.ChangeAsync(name, change, version, LocalNode.Nobody, CancellationToken.None);

    private static async Task<string> ListAsync(LocalNode node, string prefix, bool? enabled, int size, string? after)
    {
        var page = await node.Users.ListAsync(new(prefix, enabled), new PageRequest(size, after), CancellationToken.None);
        return string.Join(' ', page.Items.Select(user => user.Name).Concat(page.More ? ["+"] : []));
    }

    private static T Value<T>(Result<T> result, bool orNothing = false)
    {
        Assert.True(result.TryGet(out var value, out var errors) || orNothing, errors.Count > 0 ? errors[0].Message : "");
        return value;
    }

    private static IReadOnlyList<OciError> Errors<T>(Result<T> result)
    {
        Assert.False(result.TryGet(out _, out var errors));
        return errors;
    }

    private static ErrorReason Reason<T>(Result<T> result) => Errors(result)[0].Reason;
}
