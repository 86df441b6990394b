namespace Registry.Infrastructure.Stores;

public enum StoreKind
{
    /// <summary>A folder, on a local disk or mounted.</summary>
    FileSystem,
}

/// <summary><c>Registry:Stores:*</c>: one place for blobs.</summary>
public sealed class StoreOptions
{
    public StoreKind Kind { get; set; } = StoreKind.FileSystem;

    /// <summary>The folder of the store. A relative path counts from the working directory.</summary>
    public string Root { get; set; } = "";

    /// <summary>
    /// The folder for uploads that are not finished. Default <c>_uploads</c> in <see cref="Root"/>; on another device
    /// every finished upload is copied once.
    /// </summary>
    public string? Staging { get; set; }
}
