using Registry.Domain.Repositories;

namespace Registry.Application.Catalog;

/// <summary>The repositories that hold at least one manifest, in byte order of their names.</summary>
public interface ICatalog
{
    /// <summary>
    /// Up to <paramref name="limit"/> names of a registry that come behind <paramref name="after"/> and begin with
    /// <paramref name="prefix"/>.
    /// </summary>
    /// <param name="after">Null for the first page.</param>
    Task<IReadOnlyList<string>> ListAsync(
        RegistryName registry, string? after, string prefix, int limit, CancellationToken cancellationToken);

    /// <summary>Whether anything was ever pushed to the repository.</summary>
    Task<bool> ExistsAsync(RepositoryIdentity repository, CancellationToken cancellationToken);

    /// <summary>
    /// Whether the repository's name is taken: it holds a manifest that is not merely about another one. Blobs alone,
    /// and what is attached to an image of another registry, take no name.
    /// </summary>
    Task<bool> IsTakenAsync(RepositoryIdentity repository, CancellationToken cancellationToken);
}
