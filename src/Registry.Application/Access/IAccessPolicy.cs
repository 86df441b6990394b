using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Access;

/// <summary>The one judge of who may do what. What is not allowed is denied.</summary>
public interface IAccessPolicy
{
    bool Allows(Principal principal, RepositoryIdentity repository, RegistryAction action);

    /// <summary>
    /// Whether there can be any repository in which the principal may do this; lists and <c>/v2/</c> ask so.
    /// </summary>
    bool AllowsAnywhere(Principal principal, RegistryAction action);

    /// <summary>
    /// Where in a registry a list need look for what the principal may pull: the beginnings of names, in byte order,
    /// none of them the beginning of another. What begins so is still to be judged.
    /// </summary>
    IReadOnlyList<string> PullPrefixes(Principal principal, RegistryName registry);
}
