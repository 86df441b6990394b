using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Access;

/// <summary>All rules that are in force together.</summary>
internal sealed class RuleSet
{
    private readonly IReadOnlyDictionary<string, AccessRule> _configured;
    private readonly StoredAccess _stored;
    private readonly SourcedRule[] _allowing;
    private readonly SourcedRule[] _denying;

    /// <param name="anonymous">What everybody may do everywhere; null for nothing.</param>
    public RuleSet(
        IReadOnlyDictionary<string, AccessRule> configured, StoredAccess stored, AnonymousAccess? anonymous)
    {
        (_configured, _stored) = (configured, stored);
        SourcedRule[] rules =
        [
            .. ForEverybody(anonymous),
            .. configured.Select(rule => new SourcedRule(rule.Key, rule.Value)),
            .. stored.Rules.Select(rule => new SourcedRule($"rule {rule.Key}", rule.Value)),
        ];
        _allowing = [.. rules.Where(sourced => !sourced.Rule.Denies)];
        _denying = [.. rules.Where(sourced => sourced.Rule.Denies)];
    }

    public bool IsOf(IReadOnlyDictionary<string, AccessRule> configured, StoredAccess stored)
        => ReferenceEquals(_configured, configured) && ReferenceEquals(_stored, stored);

    public IEnumerable<AccessRule> AllowingAbout(Principal principal) => About(_allowing, principal);

    public IEnumerable<AccessRule> DenyingAbout(Principal principal) => About(_denying, principal);

    /// <summary>The rule that decides; null where none fits.</summary>
    public SourcedRule? Decide(Principal principal, RepositoryIdentity repository, RegistryAction action)
        => Find(_denying, principal, repository, action) ?? Find(_allowing, principal, repository, action);

    private static SourcedRule? Find(
        SourcedRule[] rules, Principal principal, RepositoryIdentity repository, RegistryAction action)
    {
        foreach (var sourced in rules)
        {
            if (IsAbout(sourced.Rule, principal) && sourced.Rule.Grant.Covers(repository, action))
                return sourced;
        }

        return null;
    }

    private static IEnumerable<AccessRule> About(SourcedRule[] rules, Principal principal)
        => rules.Where(sourced => IsAbout(sourced.Rule, principal)).Select(sourced => sourced.Rule);

    private static bool IsAbout(AccessRule rule, Principal principal)
        => rule.Subject == AccessSubject.Everyone || principal.Subjects.Contains(rule.Subject);

    private static IEnumerable<SourcedRule> ForEverybody(AnonymousAccess? access)
    {
        RegistryAction[] actions = access switch
        {
            AnonymousAccess.Pull => [RegistryAction.Pull],
            AnonymousAccess.Push =>
                [RegistryAction.Pull, RegistryAction.Push, RegistryAction.Overwrite, RegistryAction.Delete],
            _ => [],
        };
        if (actions.Length > 0 && RepositoryGlob.TryParse(RepositoryGlob.All, out var everywhere))
        {
            var grant = new AccessGrant(Registry: null, [everywhere], actions);
            yield return new("Registry:Access:Anonymous", new(AccessSubject.Everyone, grant, Denies: false));
        }
    }
}

/// <param name="Source">Where it stands, for people.</param>
internal sealed record SourcedRule(string Source, AccessRule Rule);
