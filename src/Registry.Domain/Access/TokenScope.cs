using Registry.Domain.Repositories;

namespace Registry.Domain.Access;

/// <summary>
/// What a bearer token was issued for: repositories by their identity, so that it is worth nothing for another one of
/// the same name, and whether it may ask for lists.
/// </summary>
/// <param name="Lists">Whether it may list repositories, of those that its holder may pull.</param>
public sealed record TokenScope(
    IReadOnlyDictionary<RepositoryIdentity, IReadOnlyList<RegistryAction>> Repositories, bool Lists)
{
    public bool Covers(RepositoryIdentity repository, RegistryAction action)
        => Repositories.TryGetValue(repository, out var actions) && actions.Contains(action);
}
