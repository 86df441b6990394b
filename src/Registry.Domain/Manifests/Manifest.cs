using Registry.Domain.Blobs;

namespace Registry.Domain.Manifests;

/// <summary>
/// A valid manifest's facts: what a registry keeps beside the pushed bytes, for an OCI manifest as for Docker's schema 2.
/// </summary>
public abstract record Manifest
{
    /// <summary>The type the manifest is served with.</summary>
    public required MediaType MediaType { get; init; }

    /// <summary>The manifest this one refers to (signature, attestation, SBOM …); it need not exist.</summary>
    public Descriptor? Subject { get; init; }

    /// <summary>
    /// As the referrers list shows it (distribution-spec, "Listing Referrers"): the manifest's own, else the media type of an
    /// image's config; none for an index without one.
    /// </summary>
    public abstract MediaType? ArtifactType { get; }

    /// <summary>The annotations as the JSON object that was pushed, or null.</summary>
    public string? Annotations { get; init; }

    /// <summary>Blobs that must be in the repository: config and layers, without non-distributable ones; each once.</summary>
    public abstract IReadOnlyList<Digest> Blobs { get; }

    /// <summary>Manifests that must be in the repository: an index's children; each once.</summary>
    public abstract IReadOnlyList<Digest> Children { get; }
}

/// <summary>An image or artifact manifest (image-spec, "Image Manifest"; Docker image manifest V2, schema 2).</summary>
public sealed record ImageManifest(Descriptor Config, IReadOnlyList<Descriptor> Layers, MediaType? DeclaredArtifactType) : Manifest
{
    public override MediaType ArtifactType => DeclaredArtifactType ?? Config.MediaType;

    public override IReadOnlyList<Digest> Blobs { get; } =
        [.. Layers.Where(layer => !layer.MediaType.IsNonDistributableLayer).Prepend(Config).Select(blob => blob.Digest).Distinct()];

    public override IReadOnlyList<Digest> Children => [];
}

/// <summary>A list of manifests (image-spec, "Image Index"; Docker manifest list).</summary>
public sealed record ImageIndex(IReadOnlyList<Descriptor> Manifests, MediaType? DeclaredArtifactType) : Manifest
{
    public override MediaType? ArtifactType => DeclaredArtifactType;

    public override IReadOnlyList<Digest> Blobs => [];

    public override IReadOnlyList<Digest> Children { get; } = [.. Manifests.Select(child => child.Digest).Distinct()];
}
