namespace Registry.Domain.Repositories;

/// <summary>
/// A repository together with the name the client called it by, which every link back to the client repeats.
/// </summary>
public sealed record RepositoryAddress(RepositoryIdentity Identity, RepositoryName ClientName)
{
    /// <summary>
    /// The repository of a group through which a change comes to this one; null when the client names this one itself.
    /// </summary>
    public RepositoryIdentity? Group { get; init; }
}
