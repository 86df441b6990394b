using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.S3;

/// <summary>The keys of a store below its prefix. Blobs, manifests and tags stand where a folder has them.</summary>
/// <remarks>
/// <code>
/// PREFIX/
///   registry-store.json                                      whose bucket this is
///   docker/registry/v2/
///     blobs/ALGORITHM/XX/HEX/data                            a small blob, or JSON that says where a large one is
///     repositories/NAME/_manifests/…                         links, of the registry "default"
///   registries/REGISTRY/repositories/NAME/_manifests/…       links, of any other registry
///   _blobs/UUID                                              a large blob, where its multipart upload has ended
///   _proxied/UUID/ALGORITHM/HEX                              a blob from an upstream; no UUID is used twice
///   _uploads/UUID/RANDOM                                     the last bytes of an upload, too few for a part yet
/// </code>
/// A multipart upload that has not ended is at the key that its blob will have. UUID is the upload session's.
/// </remarks>
internal static class S3Layout
{
    public const string Blobs = "_blobs/";
    public const string Cached = "_proxied/";
    public const string Uploads = "_uploads/";

    /// <summary>The location of a blob that is not at its content address.</summary>
    public static string UploadedBlob(UploadId id) => $"{Blobs}{id}";

    /// <summary>The location of a blob from an upstream.</summary>
    /// <param name="id">Of the upload that it has arrived as.</param>
    public static string CachedBlob(UploadId id, Digest digest)
        => $"{CachedFolder(id)}{digest.Algorithm}/{digest.Hex}";

    public static string CachedFolder(UploadId id) => $"{Cached}{id}/";

    public static string UploadFolder(UploadId id) => $"{Uploads}{id}/";

    public static string Rest(UploadId id, string name) => UploadFolder(id) + name;

    /// <summary>
    /// The key of a location that was stored once; null when this layout never writes such a location for the digest.
    /// </summary>
    public static string? Locate(string location, Digest digest)
        => location == StoreLayout.BlobLocation(digest) || UploadOf(location, Blobs) is not null
            || IsCached(location, digest)
            ? location
            : null;

    /// <summary>Whether it is a cached location of the blob, and of no other.</summary>
    public static bool IsCached(string location, Digest digest)
        => UploadOf(location, Cached) is { } id && location == CachedBlob(id, digest);

    /// <summary>The blob whose cached location a key is; null when it is none of ours.</summary>
    public static CachedLocation? CachedOf(string key)
        => key.Split('/') is [_, _, var algorithm, var hex] && Digest.TryParse($"{algorithm}:{hex}", out var digest)
            && IsCached(key, digest)
            ? new(digest, key)
            : null;

    /// <summary>
    /// The upload that a key below <paramref name="folder"/> belongs to; null when it is none of ours.
    /// </summary>
    public static UploadId? UploadOf(string key, string folder)
        => key.StartsWith(folder, StringComparison.Ordinal)
            && UploadId.TryParse(key[folder.Length..].Split('/')[0], out var id)
            ? id
            : null;
}
