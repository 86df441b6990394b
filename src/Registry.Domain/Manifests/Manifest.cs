using Registry.Domain.Blobs;

namespace Registry.Domain.Manifests;

/// <summary>
/// A valid manifest's facts: what a registry keeps beside the pushed bytes, for an OCI manifest as for Docker's
/// schema 2.
/// </summary>
public abstract record Manifest
{
    /// <summary>The type the manifest is served with.</summary>
    public required MediaType MediaType { get; init; }

    /// <summary>The manifest this one refers to (signature, attestation, SBOM …); it need not exist.</summary>
    public Descriptor? Subject { get; init; }

    /// <summary>
    /// As the referrers list shows it (distribution-spec, "Listing Referrers"): the manifest's own, else the media type
    /// of an image's config; none for an index without one.
    /// </summary>
    public abstract MediaType? ArtifactType { get; }

    /// <summary>The annotations as the JSON object that was pushed, or null.</summary>
    public string? Annotations { get; init; }

    /// <summary>Blobs that the manifest refers to; each once.</summary>
    public abstract IReadOnlyList<Digest> Blobs { get; }

    /// <summary>
    /// Those of <see cref="Blobs"/> that must be in the repository: all but non-distributable layers.
    /// </summary>
    public abstract IReadOnlyList<Digest> RequiredBlobs { get; }

    /// <summary>
    /// Manifests that the manifest refers to, which must be in the repository: an index's children; each once.
    /// </summary>
    public abstract IReadOnlyList<Digest> Children { get; }
}

/// <summary>An image or artifact manifest (image-spec, "Image Manifest"; Docker image manifest V2, schema 2).</summary>
public sealed record ImageManifest(Descriptor Config, IReadOnlyList<Descriptor> Layers, MediaType? DeclaredArtifactType)
    : Manifest
{
    public override MediaType ArtifactType => DeclaredArtifactType ?? Config.MediaType;

    public override IReadOnlyList<Digest> Blobs { get; }
        = [.. Layers.Prepend(Config).Select(blob => blob.Digest).Distinct()];

    public override IReadOnlyList<Digest> RequiredBlobs { get; } =
        [.. Layers.Where(layer => !layer.MediaType.IsNonDistributableLayer).Prepend(Config)
            .Select(blob => blob.Digest).Distinct()];

    public override IReadOnlyList<Digest> Children => [];
}

/// <summary>A list of manifests (image-spec, "Image Index"; Docker manifest list).</summary>
public sealed record ImageIndex(IReadOnlyList<Descriptor> Manifests, MediaType? DeclaredArtifactType) : Manifest
{
    public override MediaType? ArtifactType => DeclaredArtifactType;

    /// <summary>What is listed under a type that no manifest has; build caches list their layers so.</summary>
    public override IReadOnlyList<Digest> Blobs { get; } =
        [.. Manifests.Where(child => !child.MediaType.IsManifest).Select(child => child.Digest).Distinct()];

    public override IReadOnlyList<Digest> RequiredBlobs => Blobs;

    public override IReadOnlyList<Digest> Children { get; } =
        [.. Manifests.Where(child => child.MediaType.IsManifest).Select(child => child.Digest).Distinct()];
}
