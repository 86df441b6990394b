namespace Registry.Application.Access;

/// <summary><c>Registry:Delete</c></summary>
public sealed class DeleteOptions
{
    /// <summary>Whether manifests, tags and blobs can be deleted over the API at all. Default true.</summary>
    public bool Enabled { get; set; } = true;
}
