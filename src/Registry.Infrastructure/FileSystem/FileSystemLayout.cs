using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.FileSystem;

/// <summary>The paths of a store. Blobs, manifests and tags stand where CNCF Distribution has them.</summary>
/// <remarks>
/// <code>
/// ROOT/
///   registry-store.json                                      whose folder this is
///   docker/registry/v2/
///     blobs/ALGORITHM/XX/HEX/data                            XX = the first two digits of HEX
///     repositories/NAME/_manifests/                          of the registry "default"
///       revisions/ALGORITHM/HEX/link                         holds the digest
///       tags/TAG/current/link                                holds the digest
///       tags/TAG/index/ALGORITHM/HEX/link                    what the tag has ever pointed to
///   registries/REGISTRY/repositories/NAME/_manifests/        the same, of any other registry
///   proxied/ALGORITHM/XX/HEX.UUID                            a blob from an upstream; no name is used twice
///   registry-store.lock                                      held by the one process that uses the folder
///   _uploads/UUID.upload                                     one file an upload (or in a folder elsewhere)
///   _temporary/UUID                                          files on their way to their place
/// </code>
/// A repository's name has no component that begins with an underscore, so it cannot meet a folder of ours.
/// </remarks>
internal sealed class FileSystemLayout(string root, string? staging)
{
    private const string UploadExtension = ".upload";
    private const string Proxied = "proxied";

    public string Root { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Staging { get; } = Path.TrimEndingDirectorySeparator(
        Path.GetFullPath(string.IsNullOrEmpty(staging) ? Path.Combine(root, "_uploads") : staging));

    public string Temporary => Path.Combine(Root, "_temporary");

    public string Guard => Path.Combine(Root, StoreMark.FileName);

    public string Lock => Path.Combine(Root, "registry-store.lock");

    /// <summary>There when a root holds blobs, this registry's or another's.</summary>
    public string Content => Path.Combine(Root, StoreLayout.Content);

    /// <summary>The folder of the blobs that have come from upstreams.</summary>
    public string Cached => Path.Combine(Root, Proxied);

    public string BlobPath(Digest digest) => Path.Combine(Root, StoreLayout.BlobLocation(digest));

    /// <summary>
    /// The file of a location that was stored once; null when this layout never writes such a location for the digest.
    /// No part of <paramref name="location"/> itself gets into the path.
    /// </summary>
    public string? Locate(string location, Digest digest)
        => location == StoreLayout.BlobLocation(digest) ? BlobPath(digest) : LocateCached(location, digest);

    /// <summary>As <see cref="Locate"/>, of cached locations alone.</summary>
    public string? LocateCached(string location, Digest digest)
        => $"{CachedFolder(digest)}/{digest.Hex}." is var start
            && location.StartsWith(start, StringComparison.Ordinal)
            && UploadId.TryParse(location[start.Length..], out var id)
            ? Path.Combine(Root, CachedLocation(id, digest))
            : null;

    /// <summary>The location of a blob from an upstream.</summary>
    /// <param name="id">Of the upload that it has arrived as.</param>
    public static string CachedLocation(UploadId id, Digest digest) => $"{CachedFolder(digest)}/{digest.Hex}.{id}";

    /// <summary>The blob whose cached file has that name; null when it is none of ours.</summary>
    public static CachedLocation? CachedOf(string algorithm, string fileName)
        => fileName.Split('.') is [var hex, var unique] && UploadId.TryParse(unique, out var id)
            && Digest.TryParse($"{algorithm}:{hex}", out var digest)
            ? new(digest, CachedLocation(id, digest))
            : null;

    public string UploadPath(UploadId id) => Path.Combine(Staging, $"{id}{UploadExtension}");

    /// <summary>
    /// The upload whose file has that name; null when it is none of ours, whatever else is in the folder.
    /// </summary>
    public static UploadId? UploadOf(string fileName)
        => fileName.EndsWith(UploadExtension, StringComparison.Ordinal)
            && UploadId.TryParse(fileName[..^UploadExtension.Length], out var id)
            ? id
            : null;

    public string NewTemporaryPath() => Path.Combine(Temporary, Guid.NewGuid().ToString("D"));

    public string RevisionPath(RepositoryIdentity repository, Digest digest)
        => Path.Combine(Root, StoreLayout.Revision(repository, digest));

    public string TagPath(RepositoryIdentity repository, Tag tag)
        => Path.Combine(Root, StoreLayout.Tag(repository, tag));

    public string CurrentTagPath(RepositoryIdentity repository, Tag tag)
        => Path.Combine(Root, StoreLayout.CurrentTag(repository, tag));

    public string TagIndexPath(RepositoryIdentity repository, Tag tag, Digest digest)
        => Path.Combine(Root, StoreLayout.TagIndex(repository, tag, digest));

    private static string CachedFolder(Digest digest) => $"{Proxied}/{digest.Algorithm}/{digest.Hex[..2]}";
}
