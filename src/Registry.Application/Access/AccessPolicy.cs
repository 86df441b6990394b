using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Access;

/// <inheritdoc cref="IAccessPolicy"/>
internal sealed class AccessPolicy(AccessOptions options, ConfiguredRules configured, IStoredAccess stored)
    : IAccessPolicy
{
    private readonly bool _undecided = options.IsUndecided();
    private volatile RuleSet _rules = new(configured.Current, stored.Current, options.Anonymous);

    private RuleSet Rules
    {
        get
        {
            var (rules, configuration, database) = (_rules, configured.Current, stored.Current);
            if (!rules.IsOf(configuration, database))
                _rules = rules = new(configuration, database, options.Anonymous);
            return rules;
        }
    }

    public bool Allows(Principal principal, RepositoryIdentity repository, RegistryAction action)
        => principal == Principal.Local
            ? IsLocalAllowed(action)
            : IsWithinCredential(principal, repository, action)
                && Rules.Decide(principal, repository, action) is { Rule.Denies: false };

    public AccessDecision Explain(Principal principal, RepositoryIdentity repository, RegistryAction action)
    {
        if (principal == Principal.Local)
            return new(IsLocalAllowed(action), "nothing is configured under Registry:Access", Rule: null);
        if (!IsWithinCredential(principal, repository, action))
            return new(Allowed: false, "the credential is limited to less", Rule: null);
        return Rules.Decide(principal, repository, action) is { } decisive
            ? new(!decisive.Rule.Denies, decisive.Source, decisive.Rule)
            : new(Allowed: false, "no rule allows it", Rule: null);
    }

    public bool AllowsAnywhere(Principal principal, RegistryAction action)
    {
        if (principal == Principal.Local)
            return IsLocalAllowed(action);
        return (principal.Token is not { } token
                || token.Repositories.Values.Any(actions => actions.Contains(action)))
            && principal.Scope?.Grants.Any(grant => grant.Actions.Contains(action)) is not false
            && Rules.AllowingAbout(principal).Any(rule => rule.Grant.Actions.Contains(action));
    }

    public bool AllowsEverywhere(Principal principal, RegistryAction action)
    {
        if (principal == Principal.Local)
            return IsLocalAllowed(action);
        return principal.Token is null
            && principal.Scope?.Grants.Any(grant => grant.CoversEverything(action)) is not false
            && Rules.AllowingAbout(principal).Any(rule => rule.Grant.CoversEverything(action))
            && !Rules.DenyingAbout(principal).Any(rule => rule.Grant.Actions.Contains(action));
    }

    public IReadOnlyList<string> PullPrefixes(Principal principal, RegistryName registry)
    {
        if (principal == Principal.Local)
            return IsLocalAllowed(RegistryAction.Pull) ? [""] : [];
        var prefixes = Prefixes(Rules.AllowingAbout(principal).Select(rule => rule.Grant), registry);
        return principal.Scope is { } scope ? Both(prefixes, Prefixes(scope.Grants, registry)) : prefixes;
    }

    private static bool IsWithinCredential(Principal principal, RepositoryIdentity repository, RegistryAction action)
        => principal.Token?.Covers(repository, action) is not false
            && principal.Scope?.Covers(repository, action) is not false;

    // Whoever is on this machine may use it, but not make itself its master.
    private bool IsLocalAllowed(RegistryAction action) => _undecided && action is not RegistryAction.Admin;

    private static List<string> Prefixes(IEnumerable<AccessGrant> grants, RegistryName registry)
        => Apart(grants
            .Where(grant => grant.IsAbout(registry) && grant.Actions.Contains(RegistryAction.Pull))
            .SelectMany(grant => grant.Repositories.Select(glob => glob.Prefix)));

    // Where one of them is the beginning of the other, names that begin with both begin with the longer one.
    private static List<string> Both(List<string> some, List<string> others)
        => Apart(
            from one in some
            from other in others
            where one.StartsWith(other, StringComparison.Ordinal) || other.StartsWith(one, StringComparison.Ordinal)
            select one.Length > other.Length ? one : other);

    /// <summary>Those of the beginnings that do not begin with another one, in byte order.</summary>
    public static List<string> Apart(IEnumerable<string> prefixes)
    {
        var apart = new List<string>();
        foreach (var prefix in prefixes.Order(StringComparer.Ordinal))
        {
            if (apart.Count == 0 || !prefix.StartsWith(apart[^1], StringComparison.Ordinal))
                apart.Add(prefix);
        }

        return apart;
    }
}
