namespace Registry.Application.GarbageCollection;

/// <summary><c>Registry:GarbageCollection</c></summary>
public sealed class GarbageCollectionOptions
{
    /// <summary>
    /// How long content that nothing refers to is kept after a client was told that it exists. Default one day.
    /// </summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromDays(1);
}
