using Registry.Domain.Repositories;

namespace Registry.Domain.Access;

/// <summary>Actions in some repositories: what a rule speaks of, or what a credential is limited to.</summary>
/// <param name="Registry">Null for all registries.</param>
/// <param name="Repositories">Patterns of names inside the registry, whatever path or host leads to it.</param>
public sealed record AccessGrant(
    RegistryName? Registry, IReadOnlyList<RepositoryGlob> Repositories, IReadOnlyList<RegistryAction> Actions)
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

    /// <summary>Whether it covers the action in every repository that there can ever be.</summary>
    public bool CoversEverything(RegistryAction action)
        => Registry is null && Actions.Contains(action) && Repositories.Any(glob => glob.Text == RepositoryGlob.All);

    /// <summary>Whether it says anything of that registry.</summary>
    public bool IsAbout(RegistryName registry) => Registry is null || Registry == registry;
}
