namespace Registry.Application.Stores;

/// <summary>The configured stores by name.</summary>
public interface IBlobStores
{
    IReadOnlyCollection<IBlobStore> All { get; }

    /// <summary>The store of that name; null when the configuration has none (any more).</summary>
    IBlobStore? Find(string name);
}
