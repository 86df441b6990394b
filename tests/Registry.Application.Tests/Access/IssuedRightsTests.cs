using FsCheck;
using FsCheck.Fluent;
using NSubstitute;
using Registry.Application.Access;
using Registry.Application.Access.Tokens;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Tests.Access;

/// <summary>A bearer token never gives what the credential that it was issued for does not give. (S-11)</summary>
public sealed class IssuedRightsTests
{
    private static readonly string[] Names = ["a", "a/b", "team/app", "team/secret/x", "other"];
    private static readonly string[] Globs = ["**", "a", "a/**", "team/*", "team/**", "**/secret/**", "*"];
    private static readonly string[] Subjects = ["everyone", "user:alice", "group:dev", "robot:ci"];
    private static readonly RegistryAction[] Actions = Enum.GetValues<RegistryAction>();

    private static readonly RegistryMap Registries = new(
        new Dictionary<string, RegistrySettings>(StringComparer.Ordinal) { ["default"] = new(), ["hub"] = new() { Path = "hub" } },
        Substitute.For<IBlobStores>());

    [Fact]
    public void An_issued_token_gives_what_its_credential_gives_or_less()
    {
        var (given, withheld) = (0, 0);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var policy = Policy(random);
            var caller = Caller(random);
            var token = Issue(policy, caller, [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => Scope(random))]);
            var bearer = caller with { Token = token };
            foreach (var repository in Repositories())
            {
                foreach (var action in Actions)
                {
                    var allowed = policy.Allows(caller, repository, action);
                    if (policy.Allows(bearer, repository, action) && !allowed)
                        return false;
                    if (token.Covers(repository, action) && !allowed)
                        return false;
                    if (token.Covers(repository, action))
                        given++;
                    else if (allowed)
                        withheld++;
                }
            }

            return !policy.AllowsEverywhere(bearer, RegistryAction.Admin)
                && !token.Repositories.Values.Any(actions => actions.Contains(RegistryAction.Admin))
                && (!token.Lists || caller.IsSignedIn || policy.AllowsAnywhere(caller, RegistryAction.Pull));
        }));

        Assert.True(given > 100 && withheld > 100, $"{given} rights given, {withheld} withheld: the cases are all alike.");
    }

    [Fact]
    public void What_is_taken_from_the_credential_afterwards_is_taken_from_the_token()
    {
        var policy = Policy(Rule("user:alice", "team/**", RegistryAction.Pull, RegistryAction.Push));
        var token = Issue(policy, Principal.User("alice"), ["repository:team/app:pull,push"]);
        var repository = new RepositoryIdentity(RegistryName.Default, RepositoryName.Parse("team/app"));
        Assert.True(policy.Allows(Principal.User("alice") with { Token = token }, repository, RegistryAction.Push));

        var later = Policy(Rule("user:alice", "team/**", RegistryAction.Pull));
        Assert.False(later.Allows(Principal.User("alice") with { Token = token }, repository, RegistryAction.Push));
        Assert.True(later.Allows(Principal.User("alice") with { Token = token }, repository, RegistryAction.Pull));
    }

    [Fact]
    public async Task A_token_is_not_exchanged_for_another_one()
    {
        var handler = new IssueTokenHandler(Substitute.For<ITokenIssuer>(), Policy(Rule("everyone", "**", RegistryAction.Pull)), Registries);
        var caller = Principal.User("alice") with { Token = new(new Dictionary<RepositoryIdentity, IReadOnlyList<RegistryAction>>(), Lists: true) };
        var issued = await handler.Handle(new(caller, new("localhost", 80), Ns: null, "localhost", ["repository:a:pull"], WithRefresh: true), CancellationToken.None);
        Assert.False(issued.TryGet(out _, out _));
    }

    [Theory]
    [InlineData("repository:team/app:pull", "team/app", "Pull")]
    [InlineData("repository:team/app:push", "team/app", "Push Overwrite")]
    [InlineData("repository:team/app:pull,push,pull", "team/app", "Pull Push Overwrite")]
    [InlineData("repository:team/app:*", "team/app", "Pull Push Overwrite Delete")]
    [InlineData("repository(plugin):team/app:delete", "team/app", "Delete")]
    [InlineData("repository:team/app:admin,Pull,overwrite,", "team/app", "")] // asks for nothing that is asked for so
    [InlineData("repository:localhost:5000/app:pull", null, "Pull")]
    [InlineData("repository:UPPER:pull", null, "Pull")]
    [InlineData("registry:other:*", null, "Pull Push Overwrite Delete")]
    public void A_scope_is_read_as_the_specification_writes_it(string text, string? repository, string actions)
    {
        Assert.True(RequestedScope.TryParse(text, out var scope));
        Assert.Equal((repository, actions, false), (scope.Repository?.Value, string.Join(' ', scope.Actions), scope.IsCatalog));
    }

    [Fact]
    public void The_catalog_has_a_scope_of_its_own()
    {
        Assert.True(RequestedScope.TryParse("registry:catalog:*", out var scope));
        Assert.True(scope.IsCatalog);
        Assert.Null(scope.Repository);
    }

    [Theory]
    [InlineData("")]
    [InlineData("repository")]
    [InlineData("repository:pull")]
    [InlineData("repository::pull")]
    [InlineData(":a:pull")]
    public void What_is_no_scope_is_refused(string text) => Assert.False(RequestedScope.TryParse(text, out _));

    [Fact]
    public void A_scope_without_end_is_refused() // S-18
        => Assert.False(RequestedScope.TryParse($"repository:{new string('a', 2000)}:pull", out _));

    private static TokenScope Issue(AccessPolicy policy, Principal caller, IReadOnlyList<string> scopes)
    {
        TokenContent? content = null;
        var issuer = Substitute.For<ITokenIssuer>();
        issuer.IssueAsync(default!, default).ReturnsForAnyArgs(call =>
        {
            content = call.Arg<TokenContent>();
            return new BearerToken("text", default, default);
        });
        var issued = new IssueTokenHandler(issuer, policy, Registries)
            .Handle(new(caller, new("localhost", 80), Ns: null, "localhost", scopes, WithRefresh: false), CancellationToken.None).GetAwaiter().GetResult();
        Assert.True(issued.TryGet(out _, out _));
        var repositories = new Dictionary<RepositoryIdentity, IReadOnlyList<RegistryAction>>();
        foreach (var access in content!.Access)
            repositories[access.Repository] = [.. repositories.GetValueOrDefault(access.Repository, []).Union(access.Actions)];
        return new(repositories, content.Lists);
    }

    private static IEnumerable<RepositoryIdentity> Repositories()
        => from registry in new[] { "default", "hub" }
           from name in Names
           select new RepositoryIdentity(RegistryName.Parse(registry), RepositoryName.Parse(name));

    private static AccessPolicy Policy(Random random)
        => Policy([.. Enumerable.Range(0, random.Next(1, 6)).Select(_ =>
        {
            var rule = Rule(Pick(random, Subjects), Pick(random, Globs), [.. Actions.Where(_ => random.Next(2) == 0).DefaultIfEmpty(RegistryAction.Pull)]);
            rule.Registry = random.Next(3) == 0 ? "hub" : null;
            rule.Effect = random.Next(4) == 0 ? AccessEffect.Deny : AccessEffect.Allow;
            return rule;
        })]);

    private static AccessPolicy Policy(params AccessRuleSettings[] rules)
    {
        var options = new AccessOptions { Anonymous = AnonymousAccess.None };
        foreach (var rule in rules)
            options.Rules.Add(rule);
        var stored = Substitute.For<IStoredAccess>();
        stored.Current.Returns(StoredAccess.Nothing);
        return new(options, new(ConfiguredRules.Read(options)), stored);
    }

    private static Principal Caller(Random random)
    {
        var caller = random.Next(4) switch
        {
            0 => Principal.Anonymous,
            1 => Principal.Robot("ci"),
            2 => Principal.User("alice"),
            _ => Principal.User("alice", "dev"),
        };
        return random.Next(2) == 0 || !caller.IsSignedIn
            ? caller
            : caller with { Scope = new([.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => Rule("everyone", Pick(random, Globs), Pick(random, Actions)).ToRule().Grant)]) };
    }

    private static string Scope(Random random)
    {
        var name = (random.Next(2) == 0 ? "hub/" : "") + Pick(random, Names);
        return random.Next(8) == 0 ? "registry:catalog:*" : $"repository:{name}:{Pick(random, ["pull", "push", "pull,push", "*", "delete", "admin"])}";
    }

    private static T Pick<T>(Random random, IReadOnlyList<T> some) => some[random.Next(some.Count)];

    private static AccessRuleSettings Rule(string subject, string glob, params RegistryAction[] actions)
    {
        var rule = new AccessRuleSettings { Subject = subject, Repositories = { glob } };
        foreach (var action in actions)
            rule.Actions.Add(action);
        return rule;
    }
}
