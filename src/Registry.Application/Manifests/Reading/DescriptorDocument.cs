using Registry.Domain.Manifests;

namespace Registry.Application.Manifests.Reading;

/// <summary>A descriptor as it was written; absent members are null.</summary>
internal sealed class DescriptorDocument
{
    public string? MediaType { get; set; }

    public string? Digest { get; set; }

    public long? Size { get; set; }

    public string? ArtifactType { get; set; }

    /// <summary>The content itself, in Base64.</summary>
    public string? Data { get; set; }

    /// <summary>The descriptor of a document that has passed validation.</summary>
    public Descriptor ToDescriptor()
        => new(Domain.Manifests.MediaType.Parse(MediaType!), Domain.Blobs.Digest.Parse(Digest!), Size!.Value);
}
