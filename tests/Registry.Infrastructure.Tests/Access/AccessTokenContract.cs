using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Registry.Application.Access;
using Registry.Application.Access.AccessTokens;
using Registry.Application.Access.Robots;
using Registry.Application.Access.Rules;
using Registry.Application.Access.Sessions;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Access.Tokens;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Tests.Database;

namespace Registry.Infrastructure.Tests.Access;

public sealed class SqliteAccessTokenTests : AccessTokenContract<SqliteTestDatabase>;

public sealed class PostgreSqlAccessTokenTests : AccessTokenContract<PostgreSqlTestDatabase>;

/// <summary>Robots, access tokens, rules and sessions in the database, and the provider that knows tokens.</summary>
public abstract class AccessTokenContract<TDatabase> : IAsyncLifetime
    where TDatabase : TestDatabase, new()
{
    private static readonly RobotName Ci = RobotName.Parse("ci");
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TDatabase _place = new();
    private readonly ManualTime _time = new();
    private readonly Users _users = new();
    private CountingDatabase _database = null!;
    private AccessChanges _changes = null!;
    private StoredAccessTokens _tokens = null!;
    private TokenUses _uses = null!;
    private IUserProvider _provider = null!;
    private IRobots _robots = null!;
    private IAccessRules _rules = null!;
    private ITokenSessions _sessions = null!;

    public async Task InitializeAsync()
    {
        _database = new(_place.Connect(_time));
        await _database.OpenAsync(None);
        _changes = new(_database, _time, NullLogger<AccessChanges>.Instance);
        await _changes.RefreshAsync(None);
        _tokens = new(_database, _changes);
        _uses = new(_database, _time, NullLogger<TokenUses>.Instance);
        _robots = new StoredRobots(_database, _changes);
        _rules = new StoredAccessRules(_database, _changes);
        _sessions = new StoredTokenSessions(_database, _changes);
        _provider = new AccessTokenProvider(_tokens, _uses, _changes, () => new Accounts([_provider, _users]), _time);
    }

    public async Task DisposeAsync()
    {
        _uses.Dispose();
        _changes.Dispose();
        await _database.DisposeAsync();
        _place.Dispose();
    }

    [Fact]
    public async Task A_robot_signs_in_with_its_token_within_the_tokens_scope()
    {
        Assert.True(RepositoryGlob.TryParse("team/**", out var glob));
        var scope = new CredentialScope([new(RegistryName.Default, [glob], [RegistryAction.Pull, RegistryAction.Push])]);
        var end = _time.Now.AddDays(1);
        var revealed = await OfRobotAsync(scope, end);

        var principal = await SignInAsync("robot+ci", revealed.Secret);

        Assert.Equal("robot:ci", principal!.Name);
        Assert.Equal([AccessSubject.Robot("ci")], principal.Subjects);
        Assert.Equal(end, principal.Until);
        var grant = Assert.Single(principal.Scope!.Grants);
        Assert.Equal((RegistryName.Default, "team/**", "Pull Push"), (grant.Registry, Assert.Single(grant.Repositories).Text, string.Join(' ', grant.Actions)));
        Assert.Equal(ProviderNames.Token, principal.Account!.Provider);
        Assert.Equal(principal.Name, (await FindAsync(principal.Account))?.Name);
        Assert.Null(await FindAsync(principal.Account with { Mark = null }));
        Assert.Null(await FindAsync(principal.Account with { Mark = "another" }));
        Assert.NotNull((await FindAsync(principal.Account))?.Scope);
    }

    [Fact]
    public async Task A_user_signs_in_with_its_token_in_todays_groups()
    {
        var revealed = await OfUserAsync();
        _users.Groups = ["dev"];
        var principal = await SignInAsync("alice", revealed.Secret);
        Assert.Equal("user:alice", principal!.Name);
        Assert.Contains(AccessSubject.Group("dev"), principal.Subjects);
        Assert.Null(principal.Scope);
        Assert.Null(principal.Until);

        _users.Groups = []; // S-10
        Assert.DoesNotContain(AccessSubject.Group("dev"), (await FindAsync(principal.Account!))!.Subjects);
        Assert.DoesNotContain(AccessSubject.Group("dev"), (await SignInAsync("alice", revealed.Secret))!.Subjects);
    }

    [Theory]
    [InlineData("robot+ci", "alice", "robot+other", "ci", "", "robot+CI")]
    public async Task Under_another_name_a_token_is_worth_nothing(string robot, params string[] others)
    {
        var (ofRobot, ofUser) = (await OfRobotAsync(), await OfUserAsync());
        Assert.NotNull(await SignInAsync(robot, ofRobot.Secret));
        foreach (var name in others)
        {
            Assert.Null(await SignInAsync(name, ofRobot.Secret));
            Assert.Null(_provider.Recall(name, ofRobot.Secret));
        }

        Assert.NotNull(await SignInAsync("alice", ofUser.Secret));
        foreach (var name in new[] { "bob", "robot+ci", "Alice", "user:alice" })
        {
            Assert.Null(await SignInAsync(name, ofUser.Secret));
            Assert.Null(_provider.Recall(name, ofUser.Secret));
        }
    }

    [Fact]
    public async Task What_is_no_token_is_another_providers()
    {
        Assert.True((await _provider.VerifyAsync("alice", "wonder", None)).TryGet(out var nobody, out _));
        Assert.Null(nobody);
        foreach (var text in new[] { "rgt_", "rgt_x", "rgt_x_y", $"rgt_{new string('0', 20)}_{new string('0', 64)}" })
        {
            Assert.False((await _provider.VerifyAsync("alice", text, None)).TryGet(out _, out var errors));
            Assert.Equal(ErrorReason.Unauthenticated, errors[0].Reason);
        }
    }

    [Fact]
    public async Task Altered_secrets_are_refused_and_never_throw()
    {
        var secret = (await OfRobotAsync()).Secret;
        await SignInAsync("robot+ci", secret);
        var random = new Random(5);
        for (var i = 0; i < 1000; i++)
        {
            var text = new StringBuilder(secret);
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                var at = random.Next(text.Length);
                switch (random.Next(4))
                {
                    case 0:
                        text[at] = (char)random.Next(0x100);
                        break;
                    case 1:
                        text.Remove(at, random.Next(text.Length - at));
                        text.Append('_');
                        break;
                    case 2:
                        text.Insert(at, "é\0_rgt_"[random.Next(7)]);
                        break;
                    default:
                        text[at] = char.ToUpperInvariant(text[at]) == text[at] ? (text[at] == '0' ? '1' : '0') : char.ToUpperInvariant(text[at]);
                        break;
                }
            }

            if (text.ToString() == secret)
                continue;
            Assert.Null(_provider.Recall("robot+ci", text.ToString()));
            Assert.Null(await SignInAsync("robot+ci", text.ToString()));
            Assert.Null(await FindAsync(new(ProviderNames.Token, text.ToString(), "mark")));
        }

        Assert.NotNull(await SignInAsync("robot+ci", secret));
    }

    [Fact]
    public async Task Only_a_hash_of_the_secret_is_kept_and_another_one_of_what_is_remembered()
    {
        var revealed = await OfRobotAsync();
        var secret = revealed.Secret.Split('_')[2];
        var hash = await _database.ReadAsync(
            async session => (byte[]?)await session.ScalarAsync("SELECT secret_hash FROM access_tokens"), None);
        Assert.Equal(SHA256.HashData(Convert.FromHexString(secret)), hash);
        var key = (await SignInAsync("robot+ci", revealed.Secret))!.Account!;
        Assert.DoesNotContain(key.Mark!, Convert.ToHexStringLower(hash!), StringComparison.Ordinal); // S-15
        Assert.DoesNotContain(key.Mark!, secret, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_ends_when_it_says()
    {
        var revealed = await OfRobotAsync(scope: null, _time.Now.AddMinutes(1));
        var key = (await SignInAsync("robot+ci", revealed.Secret))!.Account!;
        _time.Advance(TimeSpan.FromMinutes(1));
        await _changes.RefreshAsync(None);

        Assert.Null(_provider.Recall("robot+ci", revealed.Secret));
        Assert.Null(await FindAsync(key));
        Assert.False((await _provider.VerifyAsync("robot+ci", revealed.Secret, None)).TryGet(out _, out var errors));
        Assert.Contains("expired", errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_rotation_both_secrets_count_until_the_overlap_ends_and_what_was_got_with_them_likewise()
    {
        var first = await OfRobotAsync();
        var before = (await SignInAsync("robot+ci", first.Secret))!.Account!;
        Assert.True((await _tokens.RotateAsync(first.Token.Id, TimeSpan.FromHours(1), version: 1, None)).TryGet(out var second, out _));

        Assert.Equal(_time.Now.AddHours(1), second.Token.PreviousUntil);
        Assert.NotEqual(first.Secret, second.Secret);
        Assert.NotNull(await SignInAsync("robot+ci", first.Secret));
        var after = (await SignInAsync("robot+ci", second.Secret))!.Account!;
        Assert.NotNull(await FindAsync(before));

        _time.Advance(TimeSpan.FromHours(1));
        await _changes.RefreshAsync(None);
        Assert.Null(_provider.Recall("robot+ci", first.Secret));
        Assert.Null(await SignInAsync("robot+ci", first.Secret));
        Assert.Null(await FindAsync(before));
        Assert.NotNull(await SignInAsync("robot+ci", second.Secret));
        Assert.NotNull(await FindAsync(after));
        Assert.Null((await _tokens.FindAsync(first.Token.Id, None))!.PreviousUntil);

        Assert.True((await _tokens.RotateAsync(first.Token.Id, TimeSpan.Zero, version: null, None)).TryGet(out var third, out _));
        Assert.Null(await SignInAsync("robot+ci", second.Secret));
        Assert.Null(await FindAsync(after));
        Assert.NotNull(await SignInAsync("robot+ci", third.Secret));
    }

    [Fact]
    public async Task A_revoked_token_is_worth_nothing_at_once()
    {
        var revealed = await OfRobotAsync();
        var key = (await SignInAsync("robot+ci", revealed.Secret))!.Account!;
        Assert.NotNull(_provider.Recall("robot+ci", revealed.Secret));

        Assert.True((await _tokens.RevokeAsync(revealed.Token.Id, version: 1, None)).TryGet(out _, out _));

        Assert.Null(_provider.Recall("robot+ci", revealed.Secret));
        Assert.Null(await SignInAsync("robot+ci", revealed.Secret));
        Assert.Null(await FindAsync(key));
        Assert.Null(await _tokens.FindAsync(revealed.Token.Id, None));
    }

    [Fact]
    public async Task A_disabled_robot_is_nobody_until_it_is_enabled_and_a_removed_one_takes_its_tokens_along()
    {
        var revealed = await OfRobotAsync();
        var key = (await SignInAsync("robot+ci", revealed.Secret))!.Account!;
        await _robots.ChangeAsync(Ci, description: null, enabled: false, version: null, None);
        Assert.Null(_provider.Recall("robot+ci", revealed.Secret));
        Assert.Null(await SignInAsync("robot+ci", revealed.Secret));
        Assert.Null(await FindAsync(key));
        await _robots.ChangeAsync(Ci, description: null, enabled: true, version: null, None);
        Assert.NotNull(await SignInAsync("robot+ci", revealed.Secret));

        await _robots.RemoveAsync(Ci, version: null, None);
        await _robots.AddAsync(Ci, "another of that name", None);
        Assert.Null(await SignInAsync("robot+ci", revealed.Secret));
        Assert.Null(await FindAsync(key));
        Assert.Empty((await _tokens.ListAsync(TokenOwner.Of(Ci), new(10, null), None)).Items);
    }

    [Fact]
    public async Task A_token_ends_with_its_owner_and_waits_for_a_provider_that_cannot_be_asked()
    {
        var revealed = await OfUserAsync();
        var key = (await SignInAsync("alice", revealed.Secret))!.Account!;
        Assert.NotNull(_provider.Recall("alice", revealed.Secret));

        _users.IsAway = true;
        Assert.False((await _provider.VerifyAsync("alice", revealed.Secret, None)).TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.Unavailable, errors[0].Reason);
        (_users.IsAway, _users.Names) = (false, []);
        Assert.Null(await SignInAsync("alice", revealed.Secret));
        Assert.Null(await FindAsync(key));
        _time.Advance(TimeSpan.FromSeconds(2)); // what a provider and this one remember stays below five seconds
        Assert.Null(_provider.Recall("alice", revealed.Secret));
    }

    [Fact]
    public async Task Signing_in_asks_the_database_once_and_then_not_again_while_nothing_changes()
    {
        var (robot, user) = (await OfRobotAsync(), await OfUserAsync());
        foreach (var (name, secret) in new[] { ("robot+ci", robot.Secret), ("alice", user.Secret) })
        {
            var reads = _database.Reads;
            var account = (await SignInAsync(name, secret))!.Account!;
            Assert.Equal(reads + 1, _database.Reads);
            Assert.NotNull(_provider.Recall(name, secret));
            Assert.NotNull(await SignInAsync(name, secret));
            Assert.NotNull(await FindAsync(account));
            Assert.Equal(reads + 1, _database.Reads);
        }

        // Nothing that is remembered counts when the database has not been heard of for so long.
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Null(_provider.Recall("robot+ci", robot.Secret));
        Assert.NotNull(await SignInAsync("robot+ci", robot.Secret));
    }

    [Fact]
    public async Task When_a_token_was_used_is_written_later_and_for_all_together()
    {
        var (robot, user) = (await OfRobotAsync(), await OfUserAsync());
        await SignInAsync("robot+ci", robot.Secret);
        _time.Advance(TimeSpan.FromSeconds(30));
        await _changes.RefreshAsync(None);
        Assert.NotNull(_provider.Recall("robot+ci", robot.Secret));
        await SignInAsync("alice", user.Secret);
        var (writes, version) = (_database.Writes, _changes.Version);
        Assert.Null((await _tokens.FindAsync(robot.Token.Id, None))!.LastUsedAt);

        await _uses.WriteAsync(None);

        Assert.Equal(writes + 1, _database.Writes);
        Assert.Equal(_time.Now, (await _tokens.FindAsync(robot.Token.Id, None))!.LastUsedAt);
        Assert.Equal(_time.Now, (await _tokens.FindAsync(user.Token.Id, None))!.LastUsedAt);
        Assert.Equal(1, (await _tokens.FindAsync(user.Token.Id, None))!.Version);
        await _changes.RefreshAsync(None);
        Assert.Equal(version, _changes.Version); // it changes nobody's rights
        await _uses.WriteAsync(None);
        Assert.Equal(writes + 1, _database.Writes);
    }

    [Fact]
    public async Task Tokens_are_listed_by_owner_in_pages()
    {
        var mine = new List<string>();
        for (var i = 0; i < 5; i++)
            mine.Add((await OfUserAsync()).Token.Id);
        var other = (await OfRobotAsync()).Token.Id;
        var alice = TokenOwner.Of(new AccountReference("users", "alice"));

        var all = new List<string>();
        for (string? last = null; ;)
        {
            var page = await _tokens.ListAsync(alice, new(2, last), None);
            all.AddRange(page.Items.Select(token => token.Id));
            if (!page.More)
                break;
            last = all[^1];
        }

        Assert.Equal(mine.Order(StringComparer.Ordinal), all);
        Assert.Equal([other], (await _tokens.ListAsync(TokenOwner.Of(Ci), new(10, null), None)).Items.Select(token => token.Id));
        Assert.Equal(6, (await _tokens.ListAsync(owner: null, new(10, null), None)).Items.Count);
        Assert.Empty((await _tokens.ListAsync(TokenOwner.Of(new AccountReference("local", "alice")), new(10, null), None)).Items);
    }

    [Fact]
    public async Task Nobody_gets_tokens_without_end_nor_a_robot_that_is_not_there()
    {
        for (var i = 0; i < 100; i++)
            await OfUserAsync();
        var alice = TokenOwner.Of(new AccountReference("users", "alice"));
        Assert.False((await _tokens.AddAsync(new(alice, "", Scope: null, ExpiresAt: null), None)).TryGet(out _, out var errors));
        Assert.Equal(ErrorReason.Denied, errors[0].Reason);
        Assert.False((await _tokens.AddAsync(new(TokenOwner.Of(Ci), "", Scope: null, ExpiresAt: null), None)).TryGet(out _, out errors));
        Assert.Equal(ErrorReason.NotFound, errors[0].Reason);
    }

    [Fact]
    public async Task A_change_to_another_version_than_the_known_one_is_refused_and_one_to_what_is_not_there()
    {
        var token = (await OfRobotAsync()).Token.Id;
        var rule = (await _rules.AddAsync(Rule("user:alice", "a/**"), None)).Id;
        var changed = new[]
        {
            Reason(await _robots.ChangeAsync(Ci, "x", enabled: null, version: 9, None)), Reason(await _robots.RemoveAsync(Ci, version: 9, None)),
            Reason(await _tokens.RotateAsync(token, TimeSpan.Zero, version: 9, None)), Reason(await _tokens.RevokeAsync(token, version: 9, None)),
            Reason(await _rules.ReplaceAsync(rule, Rule("user:bob", "a"), version: 9, None)), Reason(await _rules.RemoveAsync(rule, version: 9, None)),
        };
        Assert.All(changed, reason => Assert.Equal(ErrorReason.Changed, reason));
        var missing = RobotName.Parse("missing");
        var unknown = new[]
        {
            Reason(await _robots.ChangeAsync(missing, "x", enabled: null, version: 1, None)), Reason(await _robots.RemoveAsync(missing, version: null, None)),
            Reason(await _tokens.RotateAsync("none", TimeSpan.Zero, version: null, None)), Reason(await _tokens.RevokeAsync("none", version: 1, None)),
            Reason(await _rules.ReplaceAsync("none", Rule("user:bob", "a"), version: null, None)), Reason(await _rules.RemoveAsync("none", version: 1, None)),
        };
        Assert.All(unknown, reason => Assert.Equal(ErrorReason.NotFound, reason));
    }

    [Theory]
    [InlineData("\0")]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("\ud800")]
    public async Task An_id_that_none_can_have_is_unknown_and_not_even_asked_for(string id)
    {
        var (reads, writes) = (_database.Reads, _database.Writes);
        Assert.Null(await _tokens.FindAsync(id, None));
        Assert.Null(await FindAsync(new(ProviderNames.Token, id, "mark")));
        Assert.Null(await _rules.FindAsync(id, None));
        Assert.Equal(ErrorReason.NotFound, Reason(await _tokens.RotateAsync(id, TimeSpan.Zero, version: null, None)));
        Assert.Equal(ErrorReason.NotFound, Reason(await _tokens.RevokeAsync(id, version: null, None)));
        Assert.Equal(ErrorReason.NotFound, Reason(await _rules.ReplaceAsync(id, Rule("user:bob", "a"), version: null, None)));
        Assert.Equal(ErrorReason.NotFound, Reason(await _rules.RemoveAsync(id, version: null, None)));
        Assert.Equal((reads, writes), (_database.Reads, _database.Writes));
    }

    [Fact]
    public async Task Nobody_leaves_a_token_behind_for_the_next_local_user_of_that_name()
    {
        var removed = TokenOwner.Of(new AccountReference(ProviderNames.Local, "alice"));
        Assert.Equal(ErrorReason.NotFound, Reason(await _tokens.AddAsync(new(removed, "late", Scope: null, null), None)));
        Assert.Empty((await _tokens.ListAsync(removed, new(10, null), None)).Items);
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_leaves_in_force_what_was_known_and_ends_nothing()
    {
        await _rules.AddAsync(Rule("user:alice", "a/**"), None);
        using var changes = new AccessChanges(_database, TimeProvider.System, NullLogger<AccessChanges>.Instance);
        await changes.RefreshAsync(None);
        var known = changes.Current;
        await changes.StartAsync(None);
        await _database.WriteAsync(
            async session =>
            {
                await AccessChanges.AnnounceAsync(session);
                return await session.ExecuteAsync("UPDATE access_rules SET actions = '[\"levitate\"]'");
            },
            durable: true,
            None);
        var reads = _database.Reads;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (_database.Reads < reads + 4) // a look and what it finds, twice
            await Task.Delay(50, deadline.Token);

        Assert.False(changes.ExecuteTask!.IsCompleted);
        Assert.Same(known, changes.Current);
        await changes.StopAsync(None);
    }

    [Fact]
    public async Task Robots_are_added_changed_and_listed()
    {
        var made = await _robots.AddAsync(Ci, "builds", None);
        Assert.Equal((true, _time.Now), (made!.Enabled, made.CreatedAt));
        Assert.Null(await _robots.AddAsync(Ci, "again", None));
        await _robots.AddAsync(RobotName.Parse("a"), "", None);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True((await _robots.ChangeAsync(Ci, description: null, enabled: false, made.Version, None)).TryGet(out var changed, out _));
        Assert.Equal(("builds", false, made.Version + 1, _time.Now), (changed.Description, changed.Enabled, changed.Version, changed.UpdatedAt));
        Assert.True((await _robots.ChangeAsync(Ci, "deploys", enabled: null, made.Version + 1, None)).TryGet(out changed, out _));
        Assert.Equal(("deploys", false), (changed.Description, changed.Enabled));
        Assert.Equal(changed, await _robots.FindAsync(Ci, None));
        Assert.Equal(["a", "ci"], (await _robots.ListAsync(new(10, null), None)).Items.Select(robot => robot.Name.Value));
        Assert.True((await _robots.ListAsync(new(1, null), None)).More);
        Assert.Equal(["ci"], (await _robots.ListAsync(new(1, "a"), None)).Items.Select(robot => robot.Name.Value));
    }

    [Fact]
    public async Task A_rule_counts_here_as_soon_as_it_is_written()
    {
        var stored = await _rules.AddAsync(Rule("user:alice", "a/**"), None);
        Assert.Equal("user:alice", _changes.Current.Rules[stored.Id].Subject.Text);
        Assert.Equal(Text(stored.Rule), Text((await _rules.FindAsync(stored.Id, None))!.Rule));

        Assert.True((await _rules.ReplaceAsync(stored.Id, Rule("group:dev", "b", denies: true), version: 1, None)).TryGet(out var replaced, out _));
        Assert.Equal(2, replaced.Version);
        Assert.Equal(Text(replaced.Rule), Text(_changes.Current.Rules[stored.Id]));
        Assert.True(_changes.Current.Rules[stored.Id].Denies);
        Assert.Single((await _rules.ListAsync(new(10, null), None)).Items);

        Assert.True((await _rules.RemoveAsync(stored.Id, version: 2, None)).TryGet(out _, out _));
        Assert.Empty(_changes.Current.Rules);
        Assert.Null(await _rules.FindAsync(stored.Id, None));
    }

    [Fact]
    public async Task Sessions_are_shown_without_secrets_and_end_when_they_are_revoked()
    {
        await AddRefreshAsync("user:alice", _time.Now.AddDays(1));
        await AddRefreshAsync("user:alice", _time.Now.AddDays(-1));
        await AddRefreshAsync("user:bob", _time.Now.AddDays(1));
        var session = Assert.Single(await _sessions.ListAsync("user:alice", 10, None));
        Assert.Equal(new RefreshSession("users", "registry.example", _time.Now, _time.Now.AddDays(1)), session);

        Assert.Equal(2, await _sessions.RevokeAsync("user:alice", None));

        Assert.Empty(await _sessions.ListAsync("user:alice", 10, None));
        Assert.Single(await _sessions.ListAsync("user:bob", 10, None));
        Assert.Equal(_time.Now, _changes.Current.RevokedBefore["user:alice"]);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, await _sessions.RevokeAsync("user:alice", None));
        Assert.Equal(_time.Now, _changes.Current.RevokedBefore["user:alice"]);
    }

    private static ErrorReason? Reason<T>(Result<T> result) => result.TryGet(out _, out var errors) ? null : errors[0].Reason;

    private static string Text(AccessRule rule)
        => $"{rule.Subject} {rule.Grant.Registry} {string.Join(' ', rule.Grant.Repositories)} {string.Join(' ', rule.Grant.Actions)} {rule.Denies}";

    private static AccessRule Rule(string subject, string pattern, bool denies = false)
        => new AccessRuleSettings
        {
            Subject = subject,
            Registry = denies ? "default" : null,
            Repositories = { pattern, "other" },
            Actions = { RegistryAction.Pull, RegistryAction.Overwrite },
            Effect = denies ? AccessEffect.Deny : AccessEffect.Allow,
        }.ToRule();

    private async Task<RevealedToken> OfRobotAsync(CredentialScope? scope = null, DateTimeOffset? end = null)
    {
        await _robots.AddAsync(Ci, "", None);
        return await AddAsync(TokenOwner.Of(Ci), scope, end);
    }

    private Task<RevealedToken> OfUserAsync() => AddAsync(TokenOwner.Of(new AccountReference("users", "alice")), scope: null, end: null);

    private async Task<RevealedToken> AddAsync(TokenOwner owner, CredentialScope? scope, DateTimeOffset? end)
        => (await _tokens.AddAsync(new(owner, "a token", scope, end), None))
            .Match(token => token, errors => throw new InvalidOperationException(errors[0].Message));

    private async Task<Principal?> SignInAsync(string user, string secret)
        => (await _provider.VerifyAsync(user, secret, None)).TryGet(out var principal, out _) ? principal : null;

    private async Task<Principal?> FindAsync(AccountReference account)
        => (await _provider.FindAsync(account, None)).TryGet(out var principal, out _) ? principal : null;

    private Task AddRefreshAsync(string principal, DateTimeOffset end)
        => _database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO refresh_tokens (secret_hash, principal, provider, account_key, service, issued_at, expires_at)
                VALUES (@hash, @principal, 'users', 'key', 'registry.example', registry_now(), @end)
                """,
                ("@hash", RandomNumberGenerator.GetBytes(32)), ("@principal", principal), ("@end", end.ToUnixTimeMilliseconds())),
            durable: true,
            None);

    private sealed class Users : IUserProvider
    {
        public string Name => "users";

        public string[] Names { get; set; } = ["alice"];

        public string[] Groups { get; set; } = [];

        public bool IsAway { get; set; }

        public Principal? Recall(string user, string password) => throw new InvalidOperationException("A token was shown to another provider.");

        public Task<Result<Principal?>> VerifyAsync(string user, string password, CancellationToken cancellationToken)
            => throw new InvalidOperationException("A token was shown to another provider.");

        public ValueTask<Result<Principal?>> FindAsync(AccountReference account, CancellationToken cancellationToken)
            => new(IsAway ? OciError.Unavailable("directory")
                : Result<Principal?>.Of(
                    Names.Contains(account.Key) ? Principal.User(account.Key, Groups) with { Account = account } : null));
    }
}
