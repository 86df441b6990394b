using Registry.Domain.Blobs;

namespace Registry.Application.Stores;

/// <summary>Where a blob's bytes are.</summary>
/// <param name="Store">Name of the store.</param>
/// <param name="Location">The store's own word for the place; opaque to everybody else.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Generation">
/// Counts how often the blob was pushed; the database gives it, a new blob has none yet.
/// </param>
public sealed record StoredBlob(string Store, Digest Digest, string Location, long Size, long Generation = 0);
