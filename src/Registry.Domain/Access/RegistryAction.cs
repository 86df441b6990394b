namespace Registry.Domain.Access;

/// <summary>What a request does to a repository.</summary>
public enum RegistryAction
{
    Pull,
    Push,
    Delete,
}
