using NSubstitute;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Tests.Access;

public sealed class AccessPolicyTests
{
    [Theory]
    [InlineData(null, "local", RegistryAction.Pull, RegistryAction.Push, RegistryAction.Overwrite, RegistryAction.Delete)]
    [InlineData(null, "anonymous")]
    [InlineData(AnonymousAccess.None, "local")]
    [InlineData(AnonymousAccess.None, "anonymous")]
    [InlineData(AnonymousAccess.Pull, "local")]
    [InlineData(AnonymousAccess.Pull, "anonymous", RegistryAction.Pull)]
    [InlineData(AnonymousAccess.Push, "local")]
    [InlineData(AnonymousAccess.Push, "anonymous", RegistryAction.Pull, RegistryAction.Push, RegistryAction.Overwrite, RegistryAction.Delete)]
    [InlineData(null, "alice")]
    [InlineData(AnonymousAccess.None, "alice")]
    [InlineData(AnonymousAccess.Pull, "alice", RegistryAction.Pull)]
    public void What_nobody_has_granted_is_denied(AnonymousAccess? anonymous, string principal, params RegistryAction[] granted)
    {
        var policy = Policy(anonymous, []);
        var caller = principal == "alice" ? Principal.User("alice") : new(principal);

        foreach (var action in Enum.GetValues<RegistryAction>())
        {
            Assert.Equal(granted.Contains(action), policy.AllowsAnywhere(caller, action));
            Assert.Equal(granted.Contains(action), policy.Allows(caller, UseCases.Repository, action));
        }

        Assert.Equal(granted.Contains(RegistryAction.Pull) ? [""] : [], policy.PullPrefixes(caller, RegistryName.Default));
    }

    [Theory]
    [InlineData("foo/img/a", RegistryAction.Pull, true)]
    [InlineData("foo/img/a/b", RegistryAction.Push, true)]
    [InlineData("foo/img/a", RegistryAction.Delete, false)]
    [InlineData("foo/img", RegistryAction.Pull, false)]
    [InlineData("foo/image/a", RegistryAction.Pull, false)]
    [InlineData("bar/foo/img/a", RegistryAction.Pull, false)]
    public void A_group_may_do_what_its_rule_names_where_it_names_it(string repository, RegistryAction action, bool allowed)
    {
        var policy = Policy(Rule("group:dev", "foo/img/**", RegistryAction.Pull, RegistryAction.Push));

        Assert.Equal(allowed, policy.Allows(Principal.User("alice", "ops", "dev"), At(repository), action));
        Assert.False(policy.Allows(Principal.User("dev"), At(repository), action));
        Assert.False(policy.Allows(Principal.User("alice", "DEV", "dev2"), At(repository), action));
        Assert.False(policy.Allows(Principal.Anonymous, At(repository), action));
        Assert.False(policy.Allows(Principal.Local, At(repository), action));
    }

    [Fact]
    public void A_rule_that_denies_wins_whatever_the_order_and_whoever_allows()
    {
        var deny = Rule("user:mallory", "secret/**", RegistryAction.Pull);
        deny.Effect = AccessEffect.Deny;
        var allow = Rule("user:mallory", "secret/a", RegistryAction.Pull);
        foreach (var rules in new[] { new[] { deny, allow }, [allow, deny] })
        {
            var policy = Policy(AnonymousAccess.Push, rules);
            Assert.False(policy.Allows(Principal.User("mallory"), At("secret/a"), RegistryAction.Pull));
            Assert.True(policy.Allows(Principal.User("mallory"), At("secret/a"), RegistryAction.Push));
            Assert.True(policy.Allows(Principal.User("mallory"), At("open"), RegistryAction.Pull));
            Assert.True(policy.Allows(Principal.User("alice"), At("secret/a"), RegistryAction.Pull));
        }
    }

    [Fact]
    public void Everyone_is_everybody_with_credentials_and_without()
    {
        var policy = Policy(Rule("everyone", "public/**", RegistryAction.Pull));
        Assert.True(policy.Allows(Principal.Anonymous, At("public/a"), RegistryAction.Pull));
        Assert.True(policy.Allows(Principal.User("alice"), At("public/a"), RegistryAction.Pull));
        Assert.False(policy.Allows(Principal.Anonymous, At("private/a"), RegistryAction.Pull));
    }

    [Fact]
    public void A_rule_of_one_registry_says_nothing_of_another()
    {
        var rule = Rule("everyone", "**", RegistryAction.Pull);
        rule.Registry = "team";
        var policy = Policy(rule);
        Assert.True(policy.Allows(Principal.Anonymous, At("a", "team"), RegistryAction.Pull));
        Assert.False(policy.Allows(Principal.Anonymous, At("a"), RegistryAction.Pull));
        Assert.Equal([""], policy.PullPrefixes(Principal.Anonymous, RegistryName.Parse("team")));
        Assert.Empty(policy.PullPrefixes(Principal.Anonymous, RegistryName.Default));
    }

    [Fact]
    public void Lists_look_where_something_can_be_pulled_and_nowhere_twice()
    {
        var policy = Policy(
            Rule("user:alice", "b/**", RegistryAction.Pull),
            Rule("user:alice", "b/c", RegistryAction.Pull),
            Rule("group:dev", "a", RegistryAction.Pull),
            Rule("everyone", "b/public-*", RegistryAction.Pull),
            Rule("user:bob", "z/**", RegistryAction.Pull),
            Rule("user:alice", "only-push/**", RegistryAction.Push));

        Assert.Equal(["a", "b/"], policy.PullPrefixes(Principal.User("alice", "dev"), RegistryName.Default));
        Assert.Equal(["b/public-"], policy.PullPrefixes(Principal.Anonymous, RegistryName.Default));
    }

    [Theory]
    [InlineData("alice", "**", "Subject is 'alice'")]
    [InlineData("user:alice", "Team/**", "Repositories has 'Team/**'")]
    [InlineData("user:alice", null, "Repositories is empty")]
    public void A_rule_that_cannot_be_read_is_refused_with_its_key(string subject, string? glob, string problem)
    {
        var rule = new AccessRuleSettings { Subject = subject, Actions = { RegistryAction.Pull } };
        if (glob is not null)
            rule.Repositories.Add(glob);
        Assert.Contains(problem, Assert.Throws<FormatException>(rule.ToRule).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_without_actions_is_refused()
        => Assert.Contains(
            "Pull, Push, Overwrite, Delete, Admin",
            Assert.Throws<FormatException>(Rule("everyone", "**").ToRule).Message, StringComparison.Ordinal);

    private static AccessPolicy Policy(params AccessRuleSettings[] rules) => Policy(anonymous: null, rules);

    private static AccessPolicy Policy(AnonymousAccess? anonymous, AccessRuleSettings[] rules)
    {
        var options = new AccessOptions { Anonymous = anonymous };
        foreach (var rule in rules)
            options.Rules.Add(rule);
        var stored = Substitute.For<IStoredAccess>();
        stored.Current.Returns(StoredAccess.Nothing);
        return new(options, new(ConfiguredRules.Read(options)), stored);
    }

    private static AccessRuleSettings Rule(string subject, string glob, params RegistryAction[] actions)
    {
        var rule = new AccessRuleSettings { Subject = subject, Repositories = { glob } };
        foreach (var action in actions)
            rule.Actions.Add(action);
        return rule;
    }

    private static RepositoryIdentity At(string repository, string registry = "default")
        => new(RegistryName.Parse(registry), RepositoryName.Parse(repository));
}
