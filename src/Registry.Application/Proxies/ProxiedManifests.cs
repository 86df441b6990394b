using System.Collections.Concurrent;
using FluentValidation;
using Microsoft.Extensions.Logging;
using Registry.Application.Asking;
using Registry.Application.Manifests;
using Registry.Application.Manifests.PutManifest;
using Registry.Application.Tags;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>
/// Manifests of upstreams: each is asked once, however many wait for the answer, and what they say is kept.
/// </summary>
internal sealed partial class ProxiedManifests(
    IManifestIndex manifests, ITagIndex tags, IProxyCache cache, IUpstreams upstreams, ProxyRules rules,
    Absences absences, IValidator<PutManifestCommand> validator, TimeProvider time, ILogger<ProxiedManifests> logger)
{
    /// <summary>What tags and their history call who has moved them here.</summary>
    private static readonly Principal Upstream = new("upstream");

    // A client that can be given what was there before need not wait for a slow upstream.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly SharedWork<(RepositoryIdentity, Reference), Result<StoredManifest>> _requests = new();

    // Cached tags that their upstreams do not show: the log is told once of each.
    private readonly ConcurrentDictionary<(RepositoryIdentity, Reference), bool> _notShown = [];

    /// <summary>
    /// What is cached, when that counts; otherwise what the upstream says, or, when it cannot say anything, what a tag
    /// was when it was asked last.
    /// </summary>
    public async Task<Result<StoredManifest>> GetAsync(
        RepositoryIdentity repository, Reference reference, CancellationToken cancellationToken)
    {
        var (answer, known) = await LookAsync(repository, reference, cancellationToken);
        return answer ?? await AskWithOthersAsync(repository, reference, known, cancellationToken);
    }

    private async Task<Result<StoredManifest>> AskWithOthersAsync(
        RepositoryIdentity repository, Reference reference, StoredManifest? known, CancellationToken cancellationToken)
    {
        var answer = _requests.DoAsync(
            (repository, reference), () => AskAsync(repository, reference), cancellationToken);
        if (known is null)
            return await answer;
        try
        {
            return await answer.WaitAsync(Patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return Stale(known, "answers slowly");
        }
    }

    /// <summary>
    /// What can be answered without the upstream, or null, and what a tag was when it was asked last.
    /// </summary>
    private async Task<(Result<StoredManifest>? Answer, StoredManifest? Known)> LookAsync(
        RepositoryIdentity repository, Reference reference, CancellationToken cancellationToken)
    {
        StoredManifest? known = null;
        if (reference is Tag tag)
        {
            var cached = await cache.FindAsync(repository, tag, cancellationToken);
            known = cached?.Manifest;
            if (cached is not null && cached.Age < rules.SettingsOf(repository).TagTtl)
                return (cached.Manifest, known);
        }
        else if (await manifests.FindAsync(repository, reference, cancellationToken) is { } here)
        {
            return (here, null); // what a digest names does not change
        }

        if (rules.FindRefusal(repository) is { } refusal)
            return (known is null ? refusal : known, known);
        if (absences.Find(repository, reference) is { } absence)
            return (known is null ? absence : Stale(known, "could not be asked just now"), known);
        return (null, known);
    }

    private async Task<Result<StoredManifest>> AskAsync(RepositoryIdentity repository, Reference reference)
    {
        // The answer to another one may have come since this one has looked.
        var (answer, known) = await LookAsync(repository, reference, CancellationToken.None);
        if (answer is not null)
            return answer;
        var upstream = upstreams.Of(repository.Registry);
        if (reference is Tag tag && known is not null)
        {
            var named = await upstream.FindManifestAsync(repository.Name, reference, CancellationToken.None);
            // That it is gone counts when it is said in words.
            if (!named.TryGet(out var digest, out var errors)
                && errors[0] is not { Reason: ErrorReason.NotFound, MayExist: false })
                return await AfterRefusalAsync(repository, reference, known, errors);
            if (digest == known.Digest)
            {
                NoteShown(repository, tag);
                await cache.ConfirmAsync(repository, tag, known.Digest, CancellationToken.None);
                return known;
            }
        }

        var fetched = await upstream.GetManifestAsync(repository.Name, reference, CancellationToken.None);
        if (!fetched.TryGet(out var manifest, out var refused))
            return await AfterRefusalAsync(repository, reference, known, refused);
        NoteShown(repository, reference);
        await KeepAsync(repository, reference, manifest);
        return manifest;
    }

    // What cannot be kept is given all the same: it is what the upstream has.
    private async Task KeepAsync(RepositoryIdentity repository, Reference reference, StoredManifest manifest)
    {
        IReadOnlyList<Tag> moved = reference is Tag tag ? [tag] : [];
        var put = new PutManifestCommand(
            repository, manifest.Digest, moved, manifest.MediaType, manifest.Content, Upstream);
        if (validator.Validate(put) is { IsValid: false } judged)
        {
            Log.NotKept(logger, repository, manifest.Digest, judged.Errors[0].ErrorMessage, null);
            return;
        }

        try
        {
            await manifests.PutAsync(
                new(
                    repository, manifest.Digest, put.Document.ToManifest(manifest.MediaType), manifest.Content, moved,
                    Upstream, MayOverwrite: true)
                {
                    IsCopy = true,
                },
                CancellationToken.None);
        }
        catch (StorageException cause)
        {
            Log.NotKept(logger, repository, manifest.Digest, cause.Message, cause);
        }
    }

    private async Task<Result<StoredManifest>> AfterRefusalAsync(
        RepositoryIdentity repository, Reference reference, StoredManifest? known, IReadOnlyList<OciError> errors)
    {
        // A fault is remembered only when there is something to give meanwhile.
        var absent = errors[0].Reason is ErrorReason.NotFound;
        if (absent || known is not null)
            absences.Note(repository, reference, errors[0]);
        if (known is null)
            return Result<StoredManifest>.Refused(errors);
        if (!absent)
            return Stale(known, "cannot be asked");
        var tag = (Tag)reference;
        if (errors[0].MayExist)
        {
            if (_notShown.TryAdd((repository, tag), true))
                Log.NotShown(logger, tag, repository, errors[0].OnlyForLog);
            return Stale(known, "does not show this tag");
        }

        NoteShown(repository, tag);
        if (rules.SettingsOf(repository).KeepDeleted || rules.IsPinned(repository, [tag.Value]))
            return Stale(known, "does not have this tag any more");
        await tags.DeleteAsync(repository, tag, Upstream, CancellationToken.None);
        return Result<StoredManifest>.Refused(errors);
    }

    private void NoteShown(RepositoryIdentity repository, Reference reference)
    {
        if (_notShown.TryRemove((repository, reference), out _))
            Log.Shown(logger, reference, repository);
    }

    /// <summary>What the upstream has said last, with a warning that it does not say so now.</summary>
    /// <param name="why">As the end of a sentence about the upstream.</param>
    private static StoredManifest Stale(StoredManifest known, string why)
        => known with { Warning = $"The upstream {why}; this is what the tag was when it was asked last." };

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning,
            "The tag {Tag} of {Repository} stays what it was: the upstream does not show it ({Problem}).")]
        public static partial void NotShown(
            ILogger logger, Tag tag, RepositoryIdentity repository, string? problem);

        [LoggerMessage(LogLevel.Information, "The upstream answers for {Tag} of {Repository} again.")]
        public static partial void Shown(ILogger logger, Reference tag, RepositoryIdentity repository);

        [LoggerMessage(
            LogLevel.Warning, "The manifest {Digest} of {Repository} was delivered and not kept: {Problem}")]
        public static partial void NotKept(
            ILogger logger, RepositoryIdentity repository, Digest digest, string problem, Exception? cause);
    }
}
