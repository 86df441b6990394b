using Registry.Application.Blobs;
using Registry.Application.Catalog;
using Registry.Application.Manifests;
using Registry.Application.Proxies;
using Registry.Application.Referrers;
using Registry.Application.Registries;
using Registry.Application.Tags;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Groups;

/// <summary>
/// What the members of a group have, of those that the principal may pull from. The first one that has a reference
/// counts; one that cannot say whether it has it ends the search, since the next one may have another content under the
/// same name. Lists are merged.
/// </summary>
/// <remarks>
/// A name that a hosted member has taken is never looked up in a proxy: whoever can publish it upstream could otherwise
/// slip something under it. What has to be pushed before an image, or is attached to one of a proxy, takes no name.
/// </remarks>
internal sealed class GroupSource(
    RegistryMap registries, GroupMembers members, ICatalog catalog, HostedSource hosted, ProxySource proxies)
    : IPullSource
{
    public Task<Result<StoredManifest>> FindManifestAsync(
        RepositoryIdentity repository, Reference reference, Principal principal, CancellationToken cancellationToken)
        => FirstAsync(
            repository, principal, OciError.ManifestUnknown(reference),
            (source, member) => source.FindManifestAsync(member, reference, principal, cancellationToken),
            cancellationToken);

    public Task<Result<StoredManifest>> GetManifestAsync(
        RepositoryIdentity repository, Reference reference, Principal principal, CancellationToken cancellationToken)
        => FirstAsync(
            repository, principal, OciError.ManifestUnknown(reference),
            (source, member) => source.GetManifestAsync(member, reference, principal, cancellationToken),
            cancellationToken);

    /// <inheritdoc cref="IPullSource.FindBlobAsync"/>
    /// <remarks>
    /// Clients that push ask so what they need not send. They are told of what is here, in proxies too: no upstream has
    /// to be there for a push, nor learns what is pushed.
    /// </remarks>
    public Task<Result<long>> FindBlobAsync(
        RepositoryIdentity repository, Digest digest, Principal principal, CancellationToken cancellationToken)
    {
        var isPush = members.TakePushes(repository, principal);
        return FirstAsync(
            repository, principal, OciError.BlobUnknown(digest),
            (source, member) => (isPush ? hosted : source)
                .FindBlobAsync(member, digest, principal, cancellationToken),
            cancellationToken);
    }

    public Task<Result<OpenedBlob>> OpenBlobAsync(
        RepositoryIdentity repository, Digest digest, RequestedRange? range, Principal principal,
        CancellationToken cancellationToken)
        => FirstAsync(
            repository, principal, OciError.BlobUnknown(digest),
            (source, member) => source.OpenBlobAsync(member, digest, range, principal, cancellationToken),
            cancellationToken);

    public Task<Page<string>?> ListTagsAsync(
        RepositoryIdentity repository, PageRequest page, Principal principal, CancellationToken cancellationToken)
        => MergeAsync(
            repository, page.Size, principal, tag => tag,
            (source, member) => source.ListTagsAsync(member, page, principal, cancellationToken),
            cancellationToken);

    public Task<Page<TaggedManifest>?> ListTaggedManifestsAsync(
        RepositoryIdentity repository, PageRequest page, Principal principal, CancellationToken cancellationToken)
        => MergeAsync(
            repository, page.Size, principal, tag => tag.Tag,
            (source, member) => source.ListTaggedManifestsAsync(member, page, principal, cancellationToken),
            cancellationToken);

    public async Task<Result<Page<Referrer>>> ListReferrersAsync(
        RepositoryIdentity repository, Digest subject, string? artifactType, PageRequest page, Principal principal,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<OciError>? failure = null;
        var merged = await MergeAsync(
            repository, page.Size, principal, referrer => referrer.Digest.ToString(),
            async (source, member) =>
            {
                var listed = await source.ListReferrersAsync(
                    member, subject, artifactType, page, principal, cancellationToken);
                if (listed.TryGet(out var found, out var errors))
                    return found;
                failure = errors;
                return null;
            },
            cancellationToken);
        return failure is not null
            ? Result<Page<Referrer>>.Refused(failure)
            : merged ?? Page<Referrer>.Of([], page.Size);
    }

    private async Task<Result<T>> FirstAsync<T>(
        RepositoryIdentity repository, Principal principal, OciError nowhere,
        Func<IPullSource, RepositoryIdentity, Task<Result<T>>> ask, CancellationToken cancellationToken)
    {
        RepositoryIdentity? owner = null;
        await foreach (var (source, member) in SourcesAsync(repository, principal, cancellationToken))
        {
            if (source is null)
            {
                owner = member;
                continue;
            }

            var answer = await ask(source, member);
            if (answer.TryGet(out _, out var errors) || errors[0].Reason is not ErrorReason.NotFound)
                return answer;
        }

        // Who may not pull from the owner is not told that it has such a repository.
        return owner is not null && members.OfReadable(repository, principal).Contains(owner)
            ? nowhere.HiddenBy(owner.Registry)
            : nowhere;
    }

    // A page of each, merged, holds the whole page. Null when no member has such a repository.
    private async Task<Page<T>?> MergeAsync<T>(
        RepositoryIdentity repository, int size, Principal principal, Func<T, string> key,
        Func<IPullSource, RepositoryIdentity, Task<Page<T>?>> ask, CancellationToken cancellationToken)
    {
        var merged = new SortedDictionary<string, T>(StringComparer.Ordinal);
        var (known, more, last) = (false, false, (string?)null);
        await foreach (var (source, member) in SourcesAsync(repository, principal, cancellationToken))
        {
            if (source is null || await ask(source, member) is not { } page)
                continue;
            known = true;
            foreach (var item in page.Items)
                merged.TryAdd(key(item), item); // the first member counts
            if (page.More)
            {
                // What this one has behind its page may sort before what another one has in its.
                more = true;
                var end = page.Items.Count > 0 ? key(page.Items[^1]) : "";
                last = last is null || string.CompareOrdinal(end, last) < 0 ? end : last;
            }
        }

        if (!known)
            return null;
        var items = merged
            .Where(item => last is null || string.CompareOrdinal(item.Key, last) <= 0)
            .Select(item => item.Value).Take(size).ToList();
        return new(items, more || items.Count < merged.Count);
    }

    // The source is null, and the member the one that has taken the name, where a proxy is not asked.
    private async IAsyncEnumerable<(IPullSource? Source, RepositoryIdentity Member)> SourcesAsync(
        RepositoryIdentity repository, Principal principal,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (looked, owner) = (false, (RepositoryIdentity?)null);
        foreach (var member in members.OfReadable(repository, principal))
        {
            if (registries.KindOf(member.Registry) is RegistryKind.Hosted)
            {
                yield return (hosted, member);
                continue;
            }

            if (!looked)
                (looked, owner) = (true, await FindOwnerAsync(repository, cancellationToken));
            yield return owner is null ? (proxies, member) : (null, owner);
        }
    }

    // Whether the principal may pull it there or not.
    private async Task<RepositoryIdentity?> FindOwnerAsync(
        RepositoryIdentity repository, CancellationToken cancellationToken)
    {
        foreach (var member in registries.MembersOf(repository) ?? [])
        {
            if (registries.KindOf(member.Registry) is RegistryKind.Hosted
                && await catalog.IsTakenAsync(member, cancellationToken))
                return member;
        }

        return null;
    }
}
