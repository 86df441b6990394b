using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Tags;

/// <summary>The tags of the repositories, in byte order.</summary>
public interface ITagIndex
{
    /// <summary>
    /// One page of a repository's tags; null when there is no such repository. Costs the same wherever the page is.
    /// </summary>
    Task<Page<string>?> ListAsync(RepositoryIdentity repository, PageRequest page, CancellationToken cancellationToken);

    /// <summary>As <see cref="ListAsync"/>, with what each tag points at.</summary>
    Task<Page<TaggedManifest>?> ListDetailsAsync(
        RepositoryIdentity repository, PageRequest page, CancellationToken cancellationToken);

    /// <summary>
    /// Removes the tag; its manifest stays, with a full lease if nothing else refers to it. False when it was not
    /// there.
    /// </summary>
    Task<bool> DeleteAsync(
        RepositoryIdentity repository, Tag tag, Principal principal, CancellationToken cancellationToken);
}

/// <param name="Size">Of the manifest itself, in bytes.</param>
public sealed record TaggedManifest(
    string Tag, string Digest, string MediaType, string? ArtifactType, long Size, DateTimeOffset UpdatedAt);
