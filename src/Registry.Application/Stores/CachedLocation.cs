using Registry.Domain.Blobs;

namespace Registry.Application.Stores;

/// <summary>A place that a store has given one blob which had come from elsewhere.</summary>
/// <param name="Location">The store's own word for it; opaque to everybody else.</param>
public sealed record CachedLocation(Digest Digest, string Location);
