using NSubstitute;
using Registry.Application.Access;
using Registry.Application.Access.AccessTokens;
using Registry.Application.Access.Robots;
using Registry.Application.Access.Rules;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Tests.Access;

/// <summary>Who may manage which tokens, what rules are refused, and what is explained.</summary>
public sealed class TokensAndRulesTests
{
    private static readonly AccountReference AliceAccount = new("users", "alice");
    private static readonly Principal Alice = Principal.User("alice") with { Account = AliceAccount };
    private static readonly Principal Bob = Principal.User("bob") with { Account = new("users", "bob") };
    private static readonly Principal Admin = Principal.User("root") with { Account = new("users", "root") };
    private static readonly TokenDraft Draft = new("", Scope: null, ExpiresAt: null);
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly RegistryMap Registries = new(
        new Dictionary<string, RegistrySettings>(StringComparer.Ordinal)
        {
            ["default"] = new(), ["hub"] = new() { Path = "hub" },
            ["all"] = new() { Kind = RegistryKind.Group, Path = "all", Members = { "default", "hub" } },
        },
        Substitute.For<IBlobStores>());

    private readonly Dictionary<string, AccessToken> _held = new(StringComparer.Ordinal);
    private readonly IAccessTokens _tokens = Substitute.For<IAccessTokens>();
    private readonly IRobots _robots = Substitute.For<IRobots>();
    private readonly IUserProvider _users = new Users();
    private readonly Dictionary<string, AccessRule> _stored = new(StringComparer.Ordinal);
    private readonly AccessOptions _options = new();

    public TokensAndRulesTests()
    {
        Configure("user:root", "**", RegistryAction.Admin);
        Configure("group:dev", "team/**", RegistryAction.Pull, RegistryAction.Push);
        _tokens.FindAsync(default!, default).ReturnsForAnyArgs(call => _held.GetValueOrDefault(call.Arg<string>()));
        _tokens.AddAsync(default!, default).ReturnsForAnyArgs(call =>
        {
            var made = call.Arg<NewAccessToken>();
            return new RevealedToken(Token("new", made.Owner) with { Scope = made.Scope, ExpiresAt = made.ExpiresAt }, "secret");
        });
        _tokens.RotateAsync(default!, default, default, default).ReturnsForAnyArgs(call => new RevealedToken(_held[call.Arg<string>()], "secret"));
        _robots.FindAsync(default!, default).ReturnsForAnyArgs(call => call.Arg<RobotName>().Value switch
        {
            "ci" => new Robot(call.Arg<RobotName>(), "", Enabled: true, 1, default, default),
            "old" => new Robot(call.Arg<RobotName>(), "", Enabled: false, 1, default, default),
            _ => null,
        });
    }

    [Fact]
    public async Task A_limited_credential_makes_no_token_and_manages_none() // S-11
    {
        Hold("hers", TokenOwner.Of(AliceAccount));
        Principal[] limited =
        [
            Alice with { Scope = new([]) }, Alice with { Token = new(new Dictionary<RepositoryIdentity, IReadOnlyList<RegistryAction>>(), Lists: true) },
            Admin with { Scope = new([Rule("everyone", "**", RegistryAction.Admin).ToRule().Grant]) },
        ];
        foreach (var caller in limited)
        {
            Assert.Equal(ErrorReason.Denied, Reason(await new CreateOwnTokenHandler(Desk()).Handle(new(caller, Draft), None)));
            Assert.Equal(ErrorReason.Denied, Reason(await new CreateRobotTokenHandler(Desk()).Handle(new(caller, RobotName.Parse("ci"), Draft), None)));
            Assert.Equal(ErrorReason.Denied, Reason(await Desk().FindAsync(caller, robot: null, "hers", None)));
            Assert.Equal(ErrorReason.Denied, Reason(await RotateAsync(caller, "hers")));
        }

        await _tokens.DidNotReceiveWithAnyArgs().AddAsync(default!, default);
    }

    [Fact]
    public async Task A_token_ends_no_later_than_the_credential_that_made_it() // S-11
    {
        var end = DateTimeOffset.UtcNow.AddDays(1);
        var caller = Alice with { Until = end };
        foreach (var (asked, expected) in new (DateTimeOffset?, DateTimeOffset)[] { (null, end), (end.AddDays(1), end), (end.AddHours(-1), end.AddHours(-1)) })
        {
            var made = await new CreateOwnTokenHandler(Desk()).Handle(new(caller, Draft with { ExpiresAt = asked }), None);
            Assert.True(made.TryGet(out var revealed, out _));
            Assert.Equal(expected, revealed.Token.ExpiresAt);
        }

        Hold("unending", TokenOwner.Of(AliceAccount));
        Assert.Equal(ErrorReason.Denied, Reason(await RotateAsync(caller, "unending")));
        Assert.Null(Reason(await RotateAsync(Alice, "unending")));
    }

    [Fact]
    public async Task A_token_of_somebody_else_is_like_one_that_is_not_there() // S-12
    {
        Hold("hers", TokenOwner.Of(AliceAccount));
        Hold("robots", TokenOwner.Of(RobotName.Parse("ci")));
        foreach (var id in new[] { "hers", "robots", "none" })
            Assert.Equal(OciError.Unknown(AccessToken.Called(id)), Error(await Desk().FindAsync(Bob, robot: null, id, None)));
        Assert.Null(Reason(await Desk().FindAsync(Alice, robot: null, "hers", None)));
        Assert.Null(Reason(await Desk().FindAsync(Admin, robot: null, "hers", None)));
        Assert.Null(Reason(await Desk().FindAsync(Admin, RobotName.Parse("ci"), "robots", None)));
        Assert.Equal(ErrorReason.NotFound, Reason(await Desk().FindAsync(Admin, RobotName.Parse("other"), "robots", None)));
        Assert.Equal(ErrorReason.NotFound, Reason(await Desk().FindAsync(Admin, RobotName.Parse("ci"), "hers", None)));
        Assert.Null(Reason(await Desk().FindAsync(caller: null, robot: null, "hers", None)));
    }

    [Fact]
    public async Task Who_signs_in_with_a_token_has_its_owners_tokens_and_a_robot_has_none()
    {
        Hold("hers", TokenOwner.Of(AliceAccount));
        Hold("robots", TokenOwner.Of(RobotName.Parse("ci")));
        Assert.True((await Desk().OwnerOfAsync(Alice with { Account = new(ProviderNames.Token, "hers", "mark") }, None)).TryGet(out var owner, out _));
        Assert.Equal(TokenOwner.Of(AliceAccount), owner);
        Assert.Equal(ErrorReason.Denied, Reason(await Desk().OwnerOfAsync(Principal.Robot("ci") with { Account = new(ProviderNames.Token, "robots", "mark") }, None)));
        Assert.Equal(ErrorReason.Denied, Reason(await Desk().OwnerOfAsync(Principal.Of(AccessSubject.Claim("sub", "x")), None)));
    }

    [Fact]
    public async Task A_scope_and_an_end_are_checked()
    {
        async Task<string> ProblemAsync(TokenDraft draft) => Error(await new CreateOwnTokenHandler(Desk()).Handle(new(Alice, draft), None))!.Message;
        Assert.Contains("in the past", await ProblemAsync(Draft with { ExpiresAt = DateTimeOffset.UtcNow.AddSeconds(-1) }), StringComparison.Ordinal);
        Assert.Contains("Scope has 0 entries", await ProblemAsync(Draft with { Scope = [] }), StringComparison.Ordinal);
        Assert.Contains("Scope has 51 entries", await ProblemAsync(Draft with { Scope = [.. Enumerable.Repeat(Rule("", "a", RegistryAction.Pull), 51)] }), StringComparison.Ordinal); // S-18
        Assert.Contains("Actions is empty", await ProblemAsync(Draft with { Scope = [Rule("", "a")] }), StringComparison.Ordinal);
        Assert.Contains("'A'", await ProblemAsync(Draft with { Scope = [Rule("", "A", RegistryAction.Pull)] }), StringComparison.Ordinal);
        Assert.Contains("one line", await ProblemAsync(Draft with { Description = "a\nb" }), StringComparison.Ordinal);
        var made = await new CreateOwnTokenHandler(Desk()).Handle(new(Alice, Draft with { Scope = [Rule("", "a/**", RegistryAction.Pull)] }), None);
        Assert.True(made.TryGet(out var revealed, out _));
        Assert.Equal("a/**", Assert.Single(Assert.Single(revealed.Token.Scope!.Grants).Repositories).Text);
    }

    [Fact]
    public async Task A_rotation_is_refused_for_an_overlap_out_of_bounds_and_for_what_has_expired()
    {
        Hold("hers", TokenOwner.Of(AliceAccount));
        _held["old"] = Token("old", TokenOwner.Of(AliceAccount)) with { ExpiresAt = DateTimeOffset.UtcNow.AddSeconds(-1) };
        Assert.Equal(ErrorReason.Invalid, Reason(await RotateAsync(Alice, "hers", TimeSpan.FromSeconds(-1))));
        Assert.Equal(ErrorReason.Invalid, Reason(await RotateAsync(Alice, "hers", TimeSpan.FromDays(31))));
        Assert.Equal(ErrorReason.Invalid, Reason(await RotateAsync(Alice, "old")));
        Assert.Null(Reason(await RotateAsync(Alice, "hers", TimeSpan.FromDays(30))));
    }

    [Theory]
    [InlineData("alice", "**", null, "Subject is 'alice'")]
    [InlineData("user:alice", "Team/**", null, "Repositories has 'Team/**'")]
    [InlineData("user:alice", "**", "none", "Registry is 'none', which Registry:Registries does not have (all, default, hub)")]
    [InlineData("user:alice", "**", "all", "Registry is 'all', a group, which has no rights of its own")]
    public void A_rule_that_cannot_be_is_refused_with_the_reason(string subject, string glob, string? registry, string problem)
    {
        var rule = Rule(subject, glob, RegistryAction.Pull);
        rule.Registry = registry;
        Assert.Contains(problem, Error(new RuleReader(Registries).Read(rule))!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_right_to_administer_is_not_taken_away()
    {
        _options.Rules.Clear();
        _stored["only"] = Rule("user:root", "**", RegistryAction.Admin).ToRule();
        var deny = Rule("everyone", "x", RegistryAction.Admin);
        deny.Effect = AccessEffect.Deny;

        Assert.Equal(ErrorReason.Conflict, Administration().RefuseChange("only", replacement: null)?.Reason);
        Assert.Equal(ErrorReason.Conflict, Administration().RefuseChange("only", Rule("user:root", "team/**", RegistryAction.Admin).ToRule())?.Reason);
        Assert.Equal(ErrorReason.Conflict, Administration().RefuseAddition(deny.ToRule())?.Reason);
        Assert.Null(Administration().RefuseChange("only", Rule("group:admins", "**", RegistryAction.Admin).ToRule()));
        Assert.Null(Administration().RefuseAddition(Rule("user:bob", "a", RegistryAction.Pull).ToRule()));

        _stored["second"] = Rule("user:bob", "**", RegistryAction.Admin).ToRule();
        Assert.Null(Administration().RefuseChange("only", replacement: null));
        _stored.Clear(); // where nobody could, anything goes
        Assert.Null(Administration().RefuseAddition(deny.ToRule()));
    }

    [Theory]
    [InlineData("alice", null, null, "team/app", RegistryAction.Push, true, "Registry:Access:Rules:1")] // in its group of today
    [InlineData("alice", null, "ops", "team/app", RegistryAction.Push, false, "no rule allows it")] // in the groups that were named
    [InlineData("stranger", null, "dev", "team/app", RegistryAction.Pull, true, "Registry:Access:Rules:1")]
    [InlineData(null, null, "dev", "team/app", RegistryAction.Pull, true, "Registry:Access:Rules:1")]
    [InlineData(null, null, null, "team/app", RegistryAction.Pull, false, "no rule allows it")]
    [InlineData(null, "ci", null, "hub/x", RegistryAction.Pull, true, "rule stored")]
    [InlineData(null, "ci", null, "x", RegistryAction.Pull, false, "no rule allows it")]
    [InlineData(null, "ci", null, "hub/secret", RegistryAction.Pull, false, "rule denying")]
    [InlineData(null, "old", null, "hub/x", RegistryAction.Pull, false, "the robot is disabled")]
    [InlineData("root", null, "x", "team/app", RegistryAction.Admin, true, "Registry:Access:Rules:0")]
    public async Task It_is_explained_who_may_do_what_and_which_rule_says_so(
        string? user, string? robot, string? group, string repository, RegistryAction action, bool allowed, string source)
    {
        _stored["stored"] = In("hub", Rule("robot:ci", "**", RegistryAction.Pull)).ToRule();
        var deny = In("hub", Rule("everyone", "secret", RegistryAction.Pull));
        deny.Effect = AccessEffect.Deny;
        _stored["denying"] = deny.ToRule();

        var explained = await ExplainAsync(user, robot, group, repository, action);

        Assert.True(explained.TryGet(out var explanation, out _));
        Assert.Equal((allowed, source), (explanation.Decision.Allowed, explanation.Decision.Source));
        Assert.Equal(source.Contains(' ', StringComparison.Ordinal) && !source.StartsWith("rule ", StringComparison.Ordinal), explanation.Decision.Rule is null);
    }

    [Fact]
    public async Task A_rule_that_names_Admin_for_a_part_gives_nothing()
    {
        Configure("user:bob", "team/**", RegistryAction.Admin);
        var explained = await ExplainAsync("bob", robot: null, "x", "team/app", RegistryAction.Admin);
        Assert.True(explained.TryGet(out var explanation, out _));
        Assert.False(explanation.Decision.Allowed);
        Assert.Contains("** of all registries", explanation.Decision.Source, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_is_explained_who_is_not_known()
    {
        Assert.Equal(ErrorReason.NotFound, Reason(await ExplainAsync("stranger", robot: null, group: null, "a", RegistryAction.Pull)));
        Assert.Equal(ErrorReason.NotFound, Reason(await ExplainAsync(user: null, "none", group: null, "a", RegistryAction.Pull)));
        Assert.Equal(ErrorReason.Invalid, Reason(await ExplainAsync("alice", "ci", group: null, "a", RegistryAction.Pull)));
        Assert.Equal(ErrorReason.Invalid, Reason(await ExplainAsync(user: null, robot: null, "a\nb", "a", RegistryAction.Pull)));
    }

    [Fact]
    public void Rules_of_both_kinds_count_within_scope_and_token()
    {
        _stored["stored"] = Rule("user:alice", "team/**", RegistryAction.Pull, RegistryAction.Push).ToRule();
        var (app, other) = (At("team/app"), At("team/other"));
        var scoped = Alice with { Scope = new([Rule("everyone", "team/app", RegistryAction.Pull).ToRule().Grant]) };
        var bearer = Alice with { Token = new(new Dictionary<RepositoryIdentity, IReadOnlyList<RegistryAction>> { [app] = [RegistryAction.Push] }, Lists: false) };

        foreach (var (caller, repository, action, allowed) in new[]
        {
            (Alice, app, RegistryAction.Push, true), (scoped, app, RegistryAction.Pull, true), (scoped, app, RegistryAction.Push, false),
            (scoped, other, RegistryAction.Pull, false), (bearer, app, RegistryAction.Push, true), (bearer, app, RegistryAction.Pull, false),
            (bearer, other, RegistryAction.Push, false), (Bob with { Scope = scoped.Scope }, app, RegistryAction.Pull, false),
        })
        {
            Assert.Equal(allowed, Policy().Allows(caller, repository, action));
            Assert.Equal(allowed, Policy().Explain(caller, repository, action).Allowed);
        }

        Assert.Contains("limited", Policy().Explain(scoped, other, RegistryAction.Pull).Source, StringComparison.Ordinal);
        Assert.False(Policy().AllowsAnywhere(scoped, RegistryAction.Push));
        Assert.False(Policy().AllowsEverywhere(Admin with { Scope = scoped.Scope }, RegistryAction.Admin));
        Assert.True(Policy().AllowsEverywhere(Admin, RegistryAction.Admin));
        Assert.Equal(["team/app"], Policy().PullPrefixes(scoped, RegistryName.Default));
    }

    private static RepositoryIdentity At(string name) => new(RegistryName.Default, RepositoryName.Parse(name));

    private static AccessRuleSettings In(string registry, AccessRuleSettings rule)
    {
        rule.Registry = registry;
        return rule;
    }

    private static AccessRuleSettings Rule(string subject, string glob, params RegistryAction[] actions)
    {
        var rule = new AccessRuleSettings { Subject = subject, Repositories = { glob } };
        foreach (var action in actions)
            rule.Actions.Add(action);
        return rule;
    }

    private static AccessToken Token(string id, TokenOwner owner) => new(id, owner, "", null, 1, default, null, null, null);

    private static OciError? Error<T>(Result<T> result) => result.TryGet(out _, out var errors) ? null : errors[0];

    private static ErrorReason? Reason<T>(Result<T> result) => Error(result)?.Reason;

    private void Configure(string subject, string glob, params RegistryAction[] actions) => _options.Rules.Add(Rule(subject, glob, actions));

    private void Hold(string id, TokenOwner owner) => _held[id] = Token(id, owner);

    private IStoredAccess Stored()
    {
        var stored = Substitute.For<IStoredAccess>();
        stored.Current.Returns(StoredAccess.Nothing with { Rules = _stored });
        return stored;
    }

    private AccessPolicy Policy() => new(_options, new(ConfiguredRules.Read(_options)), Stored());

    private Administration Administration() => new(new(ConfiguredRules.Read(_options)), Stored());

    private TokenDesk Desk() => new(_tokens, Policy(), new(Registries), TimeProvider.System);

    private Task<Result<RevealedToken>> RotateAsync(Principal caller, string id, TimeSpan overlap = default)
        => new RotateTokenHandler(_tokens, Desk(), TimeProvider.System).Handle(new(caller, Robot: null, id, overlap, Version: null), None);

    private Task<Result<ExplainedAccess>> ExplainAsync(string? user, string? robot, string? group, string repository, RegistryAction action)
        => new ExplainAccessHandler(Policy(), Registries, new([_users]), _robots).Handle(
            new(user, robot is null ? null : RobotName.Parse(robot), group is null ? [] : [group], new("localhost", 80), RepositoryName.Parse(repository), action), None);

    private sealed class Users : IUserProvider
    {
        public string Name => "users";

        public Principal? Recall(string user, string password) => null;

        public Task<Result<Principal?>> VerifyAsync(string user, string password, CancellationToken cancellationToken)
            => Task.FromResult(Result<Principal?>.Of(null));

        public ValueTask<Result<Principal?>> FindAsync(AccountReference account, CancellationToken cancellationToken)
            => throw new InvalidOperationException("Users are looked for by their names here.");

        public ValueTask<Result<NamedUser?>> FindUserAsync(string name, CancellationToken cancellationToken)
            => new(Result<NamedUser?>.Of(name == "alice" ? new(Principal.User("alice", "dev") with { Account = AliceAccount }) : null));
    }
}
