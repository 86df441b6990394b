using System.Diagnostics.CodeAnalysis;
using Registry.Application.Asking;
using Registry.Application.Referrers;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// Asks upstreams what refers to a digest. While one cannot be asked, what it has said last counts, or else what is
/// cached.
/// </summary>
internal sealed class ProxiedReferrers(
    IProxyCache cache, IReferrerIndex index, IUpstreams upstreams, ProxyRules rules, Absences absences)
{
    private readonly SharedWork<(RepositoryIdentity, Digest), Result<IReadOnlyList<Referrer>>> _requests = new();

    public async Task<Result<IReadOnlyList<Referrer>>> ListAsync(
        RepositoryIdentity repository, Digest subject, CancellationToken cancellationToken)
    {
        var known = await cache.FindReferrersAsync(repository, subject, cancellationToken);
        if (IsFresh(repository, known))
            return Result<IReadOnlyList<Referrer>>.Of(known.Referrers);
        if (FindRefusal(repository, subject) is null)
        {
            var asked = await _requests.DoAsync(
                (repository, subject), () => AskAsync(repository, subject), cancellationToken);
            if (asked.TryGet(out _, out _))
                return asked;
        }

        // Never "not found" (distribution-spec, "Listing Referrers").
        return Result<IReadOnlyList<Referrer>>.Of(known?.Referrers ?? (await index.ListAsync(
            repository, subject, artifactType: null, new(PageRequest.MaxSize, After: null), cancellationToken)).Items);
    }

    private async Task<Result<IReadOnlyList<Referrer>>> AskAsync(RepositoryIdentity repository, Digest subject)
    {
        // The answer to another one may have come since this one has looked.
        var known = await cache.FindReferrersAsync(repository, subject, CancellationToken.None);
        if (IsFresh(repository, known))
            return Result<IReadOnlyList<Referrer>>.Of(known.Referrers);
        if (FindRefusal(repository, subject) is { } refusal)
            return refusal;
        var listed = await upstreams.Of(repository.Registry)
            .ListReferrersAsync(repository.Name, subject, CancellationToken.None);
        if (listed.TryGet(out var referrers, out var errors))
            await cache.KeepReferrersAsync(repository, subject, referrers, CancellationToken.None);
        else
            absences.Note(repository, Key(subject), errors[0]);
        return listed;
    }

    private OciError? FindRefusal(RepositoryIdentity repository, Digest subject)
        => rules.FindRefusal(repository) ?? absences.Find(repository, Key(subject));

    private static string Key(Digest subject) => $"referrers of {subject}";

    private bool IsFresh(RepositoryIdentity repository, [NotNullWhen(true)] CachedReferrers? known)
        => known is not null && known.Age < rules.SettingsOf(repository).TagTtl;
}
