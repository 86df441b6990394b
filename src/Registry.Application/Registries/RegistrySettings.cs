namespace Registry.Application.Registries;

public enum RegistryKind
{
    /// <summary>Holds what is pushed to it.</summary>
    Hosted,
}

/// <summary><c>Registry:Registries:*</c>: one registry of the instance.</summary>
public sealed class RegistrySettings
{
    public RegistryKind Kind { get; set; } = RegistryKind.Hosted;

    /// <summary>
    /// Repository names that begin with this path are in this registry; empty takes all that no other path takes.
    /// </summary>
    public string Path { get; set; } = "";

    /// <summary>Name of the store for its blobs. Default <c>default</c>.</summary>
    public string Store { get; set; } = "default";

    /// <summary>Host names, exact or <c>*.suffix</c>, under which it answers with bare repository names.</summary>
    public IList<string> Hosts { get; } = [];
}
