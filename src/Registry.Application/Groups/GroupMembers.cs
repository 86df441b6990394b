using Registry.Application.Access;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Groups;

/// <summary>What the repositories of a group stand for.</summary>
internal sealed class GroupMembers(RegistryMap registries, IAccessPolicy access)
{
    /// <summary>
    /// The repositories of the members that the principal may pull from, in the order in which they count;
    /// <paramref name="repository"/> itself for registries of other kinds.
    /// </summary>
    public IEnumerable<RepositoryIdentity> OfReadable(RepositoryIdentity repository, Principal principal)
        => registries.MembersOf(repository) is not { } members
            ? [repository]
            // A token names the group; what it gives there is what its holder may pull from the members.
            : members.Where(member => access.Allows(principal with { Token = null }, member, RegistryAction.Pull));

    /// <summary>Whether what the principal pushes to a repository of a group gets into one of the members.</summary>
    public bool TakePushes(RepositoryIdentity repository, Principal principal)
        => registries.TargetOf(repository) is not null && access.Allows(principal, repository, RegistryAction.Push);
}
