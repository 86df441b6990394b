using Registry.Domain.Repositories;

namespace Registry.Domain.Access;

/// <summary>
/// What a subject may, or may not, do in some repositories. Where several rules fit, one that denies wins; where none
/// fits, nothing is allowed.
/// </summary>
/// <param name="Registry">Null for all registries.</param>
/// <param name="Repositories">Patterns of names inside the registry, whatever path or host leads to it.</param>
/// <param name="Denies">Whether it takes away instead of giving.</param>
public sealed record AccessRule(
    AccessSubject Subject, RegistryName? Registry, IReadOnlyList<RepositoryGlob> Repositories,
    IReadOnlyList<RegistryAction> Actions, bool Denies)
{
    public bool Covers(RepositoryIdentity repository, RegistryAction action)
    {
        if (!Actions.Contains(action) || !IsAbout(repository.Registry))
            return false;
        foreach (var glob in Repositories)
        {
            if (glob.Matches(repository.Name.Value))
                return true;
        }

        return false;
    }

    /// <summary>Whether it says anything of that registry.</summary>
    public bool IsAbout(RegistryName registry) => Registry is null || Registry == registry;
}
