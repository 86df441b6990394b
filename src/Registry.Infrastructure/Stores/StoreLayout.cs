using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Stores;

/// <summary>
/// Where blobs, manifests and tags stand in a store of any kind, relative to its top and with slashes: where CNCF
/// Distribution has them.
/// </summary>
internal static class StoreLayout
{
    /// <summary>There when a store holds blobs, this registry's or another's.</summary>
    public const string Content = "docker/registry/v2";

    public static string BlobLocation(Digest digest)
        => $"{Content}/blobs/{digest.Algorithm}/{digest.Hex[..2]}/{digest.Hex}/data";

    public static string Revision(RepositoryIdentity repository, Digest digest)
        => $"{Manifests(repository)}/revisions/{digest.Algorithm}/{digest.Hex}/link";

    public static string Tag(RepositoryIdentity repository, Tag tag) => $"{Manifests(repository)}/tags/{tag.Value}";

    public static string CurrentTag(RepositoryIdentity repository, Tag tag) => $"{Tag(repository, tag)}/current/link";

    public static string TagIndex(RepositoryIdentity repository, Tag tag, Digest digest)
        => $"{Tag(repository, tag)}/index/{digest.Algorithm}/{digest.Hex}/link";

    private static string Manifests(RepositoryIdentity repository)
        => (repository.Registry == RegistryName.Default ? Content : $"registries/{repository.Registry}")
            + $"/repositories/{repository.Name.Value}/_manifests";
}
