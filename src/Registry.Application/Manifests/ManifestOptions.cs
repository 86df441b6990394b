namespace Registry.Application.Manifests;

/// <summary><c>Registry:Manifests</c></summary>
public sealed class ManifestOptions
{
    /// <summary>The largest manifest taken, in bytes. Default 4 MiB, which is what clients read at most.</summary>
    public int MaxBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// How many <c>tag</c> parameters one push by digest may carry. Default 50: each comes back in a header, and
    /// clients take no more than 100.
    /// </summary>
    public int MaxTags { get; set; } = 50;
}
