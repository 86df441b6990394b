using Registry.Application.Manifests;
using Registry.Application.Referrers;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// What proxy registries know of their upstreams, beside the manifests and blobs themselves: when they have last been
/// told something. All nodes share it.
/// </summary>
public interface IProxyCache
{
    /// <summary>The manifest that a tag named when the upstream was asked last. One query.</summary>
    Task<CachedManifest?> FindAsync(RepositoryIdentity repository, Tag tag, CancellationToken cancellationToken);

    /// <summary>
    /// Notes that the tag still names <paramref name="digest"/> at the upstream. Nothing happens when it names another
    /// manifest here by now.
    /// </summary>
    Task ConfirmAsync(
        RepositoryIdentity repository, Tag tag, Digest digest, CancellationToken cancellationToken);

    /// <summary>What referred to a digest when the upstream was asked last; null when it was not asked yet.</summary>
    Task<CachedReferrers?> FindReferrersAsync(
        RepositoryIdentity repository, Digest subject, CancellationToken cancellationToken);

    /// <summary>Keeps what refers to a digest at the upstream now, in place of what was kept before.</summary>
    Task KeepReferrersAsync(
        RepositoryIdentity repository, Digest subject, IReadOnlyList<Referrer> referrers,
        CancellationToken cancellationToken);
}

/// <param name="Age">How long ago the upstream has said so.</param>
public sealed record CachedManifest(StoredManifest Manifest, TimeSpan Age);

/// <param name="Age">How long ago the upstream has said so.</param>
public sealed record CachedReferrers(IReadOnlyList<Referrer> Referrers, TimeSpan Age);
