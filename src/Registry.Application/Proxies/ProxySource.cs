using Registry.Application.Blobs;
using Registry.Application.Manifests;
using Registry.Application.Referrers;
using Registry.Application.Registries;
using Registry.Application.Tags;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// What an upstream has. What was fetched once is here: the upstream is asked only for what is not, and for what tags
/// and referrers may have become. When it cannot answer, what it has said last counts, with a warning.
/// </summary>
internal sealed class ProxySource(
    HostedSource cached, IUpstreams upstreams, ProxiedManifests manifests, ProxiedReferrers referrers,
    Downloads downloads, ProxyRules rules, Absences absences, ManifestPulls pulls)
    : IPullSource
{
    // Of a blob that is there, and lost, and fetched, by turns.
    private const int MaxTries = 5;

    public Task<Result<StoredManifest>> FindManifestAsync(
        RepositoryIdentity repository, Reference reference, Principal principal, CancellationToken cancellationToken)
        => GetManifestAsync(repository, reference, principal, cancellationToken);

    public async Task<Result<StoredManifest>> GetManifestAsync(
        RepositoryIdentity repository, Reference reference, Principal principal, CancellationToken cancellationToken)
    {
        var got = await manifests.GetAsync(repository, reference, cancellationToken);
        if (got.TryGet(out var manifest, out _))
            pulls.Note(repository, manifest.Digest);
        return got;
    }

    public async Task<Result<long>> FindBlobAsync(
        RepositoryIdentity repository, Digest digest, Principal principal, CancellationToken cancellationToken)
    {
        for (var tries = 0; tries < MaxTries; tries++)
        {
            var here = await cached.FindBlobAsync(repository, digest, principal, cancellationToken);
            if (!IsUnknown(here))
                return here;
            // Who has just read its last byte may ask before it is kept.
            var arriving = await downloads.FindAsync(repository, digest, cancellationToken);
            if (arriving is null || !arriving.TryGet(out var content, out _))
                break;
            if (content is null)
                continue; // It has arrived since it was looked for.
            await using (content)
                return content.Size;
        }

        if ((rules.FindRefusal(repository) ?? absences.Find(repository, digest)) is { } refusal)
            return refusal;
        var found = await upstreams.Of(repository.Registry).FindBlobAsync(repository.Name, digest, cancellationToken);
        if (!found.TryGet(out _, out var errors) && errors[0].Reason is ErrorReason.NotFound)
            absences.Note(repository, digest, errors[0]);
        return found;
    }

    public async Task<Result<OpenedBlob>> OpenBlobAsync(
        RepositoryIdentity repository, Digest digest, RequestedRange? range, Principal principal,
        CancellationToken cancellationToken)
    {
        for (var tries = 0; tries < MaxTries; tries++)
        {
            var here = await cached.OpenBlobAsync(repository, digest, range, principal, cancellationToken);
            if (!IsUnknown(here))
                return here;
            if ((rules.FindRefusal(repository) ?? absences.Find(repository, digest)) is { } refusal)
                return refusal;
            var joined = await downloads.JoinAsync(repository, digest, cancellationToken);
            if (!joined.TryGet(out var content, out var errors))
                return Result<OpenedBlob>.Refused(errors);
            if (content is not null)
                return new OpenedBlob(digest, content, range?.Within(content.Size));
            // It has arrived since it was looked for.
        }

        return OciError.Unavailable($"copy of blob {digest}");
    }

    public Task<Page<string>?> ListTagsAsync(
        RepositoryIdentity repository, PageRequest page, Principal principal, CancellationToken cancellationToken)
        => cached.ListTagsAsync(repository, page, principal, cancellationToken);

    public Task<Page<TaggedManifest>?> ListTaggedManifestsAsync(
        RepositoryIdentity repository, PageRequest page, Principal principal, CancellationToken cancellationToken)
        => cached.ListTaggedManifestsAsync(repository, page, principal, cancellationToken);

    public async Task<Result<Page<Referrer>>> ListReferrersAsync(
        RepositoryIdentity repository, Digest subject, string? artifactType, PageRequest page, Principal principal,
        CancellationToken cancellationToken)
    {
        var listed = await referrers.ListAsync(repository, subject, cancellationToken);
        return listed.TryGet(out var all, out var errors)
            ? Page<Referrer>.Of(
                [
                    .. all.Where(referrer => artifactType is null || referrer.ArtifactType == artifactType)
                        .Where(referrer => string.CompareOrdinal(referrer.Digest.ToString(), page.After) > 0)
                        .OrderBy(referrer => referrer.Digest.ToString(), StringComparer.Ordinal),
                ],
                page.Size)
            : Result<Page<Referrer>>.Refused(errors);
    }

    private static bool IsUnknown<T>(Result<T> answer)
        => !answer.TryGet(out _, out var errors) && errors[0].Reason is ErrorReason.NotFound;
}
