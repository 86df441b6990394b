using Registry.Application.Access;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Groups;

/// <summary>
/// Judges what is done in a group by its members: a group gives no rights and takes none. What may be pulled from one
/// of them may be pulled from it; everything else is done to the member that takes pushes.
/// </summary>
internal sealed class GroupAccess(AccessPolicy members, RegistryMap registries) : IAccessPolicy
{
    public bool Allows(Principal principal, RepositoryIdentity repository, RegistryAction action)
        => !registries.IsGroup(repository.Registry)
            ? members.Allows(principal, repository, action)
            : principal.Token?.Covers(repository, action) is not false
                && Meant(repository, action).Any(
                    member => members.Allows(principal with { Token = null }, member, action));

    public AccessDecision Explain(Principal principal, RepositoryIdentity repository, RegistryAction action)
    {
        if (!registries.IsGroup(repository.Registry))
            return members.Explain(principal, repository, action);
        var decisions = Meant(repository, action).Select(member => members.Explain(principal, member, action)).ToList();
        return decisions.Find(decision => decision.Allowed)
            ?? decisions.FirstOrDefault()
            ?? new(Allowed: false, "the group has no members", Rule: null);
    }

    public bool AllowsAnywhere(Principal principal, RegistryAction action)
        => members.AllowsAnywhere(principal, action);

    public bool AllowsEverywhere(Principal principal, RegistryAction action)
        => members.AllowsEverywhere(principal, action);

    public IReadOnlyList<string> PullPrefixes(Principal principal, RegistryName registry)
        => AccessPolicy.Apart(
            registries.MembersOf(registry).SelectMany(member => members.PullPrefixes(principal, member)));

    // Where no member takes pushes, who may push to one of them is told so, and not that it may not push.
    private IReadOnlyList<RepositoryIdentity> Meant(RepositoryIdentity repository, RegistryAction action)
        => action is not RegistryAction.Pull && registries.TargetOf(repository) is { } target
            ? [target]
            : registries.MembersOf(repository) ?? [];
}
