namespace Registry.Domain.Access;

/// <summary>What a request does to a repository.</summary>
public enum RegistryAction
{
    Pull,

    /// <summary>Add blobs, manifests and new tags.</summary>
    Push,

    /// <summary>Make a tag that is there name another manifest.</summary>
    Overwrite,

    Delete,

    /// <summary>
    /// Manage users, robots, tokens and rules; only a rule about all repositories of all registries gives it.
    /// </summary>
    Admin,
}
