using Registry.Domain.Blobs;

namespace Registry.Domain.Manifests;

/// <summary>A reference to content (image-spec, "Content Descriptors").</summary>
/// <param name="Size">In bytes.</param>
public sealed record Descriptor(MediaType MediaType, Digest Digest, long Size);
