using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>How much proxy registries hold of their upstreams, in which order it was used, and its end.</summary>
public interface ICachedContent
{
    /// <summary>
    /// The bytes of what a registry's repositories have: manifests, and every blob once, however many of them have it.
    /// </summary>
    Task<long> MeasureAsync(RegistryName registry, CancellationToken cancellationToken);

    /// <summary>
    /// What can be evicted, in its order: manifests that no index of their repository refers to, and blobs that no
    /// manifest of their repository refers to.
    /// </summary>
    /// <param name="after">The last one of the page before; null for the first page.</param>
    Task<IReadOnlyList<CachedItem>> ListOldestAsync(
        RegistryName registry, CachedItem? after, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// In one durable change, takes a manifest out of its repository with its tags, their history, and the blobs that
    /// it alone refers to; or takes out a blob. Blobs that no repository has any more lose their rows if they are at a
    /// cached location.
    /// </summary>
    /// <param name="isPinned">Whether it is kept for the sake of the tags that it has in the end.</param>
    /// <returns>
    /// Null, and nothing was changed, when it is kept, is gone, or is not what it was when it was listed.
    /// </returns>
    Task<EvictedItem?> EvictAsync(
        CachedItem item, Func<IReadOnlyList<string>, bool> isPinned, CancellationToken cancellationToken);

    /// <summary>
    /// Of these locations, those that nobody needs: no blob is at them, or one that no repository has, whose row goes.
    /// </summary>
    Task<IReadOnlyList<CachedLocation>> ReleaseUnusedAsync(
        string store, IReadOnlyList<CachedLocation> locations, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets what referred to manifests that are not cached, unless the upstream has said so within
    /// <paramref name="age"/>.
    /// </summary>
    Task ForgetReferrersAsync(TimeSpan age, CancellationToken cancellationToken);

    /// <summary>Notes when manifests were last pulled. Those that are gone are left out.</summary>
    Task MarkPulledAsync(IReadOnlyCollection<PulledManifest> pulls, CancellationToken cancellationToken);
}

/// <summary>What can be evicted from a cache.</summary>
/// <param name="IsManifest">Otherwise it is a blob.</param>
/// <param name="UsedAt">When it was last pulled, or else when it came; in Unix milliseconds.</param>
/// <param name="Tags">Those that name it.</param>
public sealed record CachedItem(
    RepositoryIdentity Repository, Digest Digest, bool IsManifest, long UsedAt, IReadOnlyList<string> Tags)
{
    /// <summary>By time, and one order for all nodes where that is the same.</summary>
    public static IComparer<CachedItem> Order { get; } = Comparer<CachedItem>.Create(Compare);

    /// <summary>Whether its turn is before, or with, that of another one of the registry.</summary>
    public bool IsUpTo(CachedItem other) => Compare(this, other) <= 0;

    private static int Compare(CachedItem one, CachedItem other)
        => one.UsedAt != other.UsedAt ? one.UsedAt.CompareTo(other.UsedAt)
            : string.CompareOrdinal(one.Repository.Name.Value, other.Repository.Name.Value) is not 0 and var byName
                ? byName
            : string.CompareOrdinal(one.Digest.ToString(), other.Digest.ToString()) is not 0 and var byDigest
                ? byDigest
            : one.IsManifest.CompareTo(other.IsManifest);
}

/// <param name="Bytes">How much less the registry holds.</param>
/// <param name="Manifests">How many manifests have gone.</param>
/// <param name="Removable">The blobs that nobody has any more; their bytes are still there.</param>
/// <param name="Released">What can be evicted from now on, since this was evicted.</param>
public sealed record EvictedItem(
    long Bytes, int Manifests, IReadOnlyList<StoredBlob> Removable, IReadOnlyList<CachedItem> Released);

/// <param name="Age">How long ago.</param>
public sealed record PulledManifest(RepositoryIdentity Repository, Digest Digest, TimeSpan Age);
