using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Access;

/// <summary>Rights out of <see cref="AccessOptions"/>: what everybody may do everywhere, and the rules.</summary>
internal sealed class AccessPolicy : IAccessPolicy
{
    private readonly bool _undecided;
    private readonly AccessRule[] _allowing;
    private readonly AccessRule[] _denying;

    /// <exception cref="FormatException">A rule cannot be read.</exception>
    public AccessPolicy(AccessOptions options)
    {
        _undecided = options.IsUndecided();
        AccessRule[] rules = [.. ForEverybody(options.Anonymous), .. options.Rules.Select(rule => rule.ToRule())];
        _allowing = [.. rules.Where(rule => !rule.Denies)];
        _denying = [.. rules.Where(rule => rule.Denies)];
    }

    public bool Allows(Principal principal, RepositoryIdentity repository, RegistryAction action)
    {
        if (principal == Principal.Local)
            return _undecided;
        return Covers(_allowing, principal, repository, action) && !Covers(_denying, principal, repository, action);
    }

    public bool AllowsAnywhere(Principal principal, RegistryAction action)
    {
        if (principal == Principal.Local)
            return _undecided;
        return Array.Exists(_allowing, rule => IsAbout(rule, principal) && rule.Actions.Contains(action));
    }

    public IReadOnlyList<string> PullPrefixes(Principal principal, RegistryName registry)
    {
        if (principal == Principal.Local)
            return _undecided ? [""] : [];
        var prefixes = _allowing
            .Where(rule => IsAbout(rule, principal) && rule.IsAbout(registry)
                && rule.Actions.Contains(RegistryAction.Pull))
            .SelectMany(rule => rule.Repositories.Select(glob => glob.Prefix))
            .Order(StringComparer.Ordinal);
        var apart = new List<string>();
        foreach (var prefix in prefixes)
        {
            if (apart.Count == 0 || !prefix.StartsWith(apart[^1], StringComparison.Ordinal))
                apart.Add(prefix);
        }

        return apart;
    }

    private static bool Covers(
        AccessRule[] rules, Principal principal, RepositoryIdentity repository, RegistryAction action)
    {
        foreach (var rule in rules)
        {
            if (IsAbout(rule, principal) && rule.Covers(repository, action))
                return true;
        }

        return false;
    }

    private static bool IsAbout(AccessRule rule, Principal principal)
        => rule.Subject == AccessSubject.Everyone || principal.Subjects.Contains(rule.Subject);

    private static IEnumerable<AccessRule> ForEverybody(AnonymousAccess? access)
    {
        RegistryAction[] actions = access switch
        {
            AnonymousAccess.Pull => [RegistryAction.Pull],
            AnonymousAccess.Push => [RegistryAction.Pull, RegistryAction.Push, RegistryAction.Delete],
            _ => [],
        };
        if (actions.Length > 0 && RepositoryGlob.TryParse("**", out var everywhere))
            yield return new(AccessSubject.Everyone, Registry: null, [everywhere], actions, Denies: false);
    }
}
