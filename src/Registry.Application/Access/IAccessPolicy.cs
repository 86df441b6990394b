using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Access;

/// <summary>
/// The one judge of who may do what: the rules of the configuration and of the database, within what the credential
/// shown is limited to. What is not allowed is denied.
/// </summary>
public interface IAccessPolicy
{
    bool Allows(Principal principal, RepositoryIdentity repository, RegistryAction action);

    /// <summary>The same judgement, with what has decided it.</summary>
    AccessDecision Explain(Principal principal, RepositoryIdentity repository, RegistryAction action);

    /// <summary>
    /// Whether there can be any repository in which the principal may do this; lists and <c>/v2/</c> ask so.
    /// </summary>
    bool AllowsAnywhere(Principal principal, RegistryAction action);

    /// <summary>Whether the principal may do this in every repository that there can ever be.</summary>
    bool AllowsEverywhere(Principal principal, RegistryAction action);

    /// <summary>
    /// Where in a registry a list need look for what the principal may pull: the beginnings of names, in byte order,
    /// none of them the beginning of another. What begins so is still to be judged.
    /// </summary>
    IReadOnlyList<string> PullPrefixes(Principal principal, RegistryName registry);
}

/// <param name="Source">
/// What has decided: the key of a rule in the configuration, <c>rule ID</c> for one in the database, or, where no rule
/// has, the reason in words.
/// </param>
/// <param name="Rule">Null where no rule has decided.</param>
public sealed record AccessDecision(bool Allowed, string Source, AccessRule? Rule);
