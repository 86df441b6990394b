namespace Registry.Domain.Repositories;

/// <summary>
/// What a repository is inside the instance, whichever address a client used: its registry and its name there.
/// Tables, access rules and uploads know only this.
/// </summary>
public sealed record RepositoryIdentity(RegistryName Registry, RepositoryName Name)
{
    public override string ToString() => $"{Registry}:{Name}";
}
