using System.IO.Pipelines;
using FluentValidation;
using Registry.Application.Blobs;
using Registry.Application.Manifests;
using Registry.Application.Manifests.PutManifest;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Groups;

/// <summary>
/// Brings what is pushed to a group together. A client that finds a blob or a manifest in the group does not push it,
/// though the member that takes pushes may not have it: that one gets it from the member in which the client has seen
/// it.
/// </summary>
internal sealed class GroupTakeover(
    RegistryMap registries, GroupMembers members, HostedSource hosted, Proxies.ProxySource proxies, IBlobLinks links,
    IManifestIndex manifests, IValidator<PutManifestCommand> validator)
{
    // An index of indexes is rare, and deeper than that there is nothing.
    private const int MaxDepth = 3;

    /// <summary>
    /// Takes what is missing in <paramref name="target"/> from the other members that the principal may pull from.
    /// </summary>
    /// <param name="group">The repository as the group has it.</param>
    /// <returns>Whether anything was found: then it is worth trying again.</returns>
    public Task<bool> TakeAsync(
        RepositoryIdentity group, RepositoryIdentity target, PutOutcome missing, Principal principal,
        CancellationToken cancellationToken)
        => TakeAsync(group, target, missing, principal, depth: 0, cancellationToken);

    private async Task<bool> TakeAsync(
        RepositoryIdentity group, RepositoryIdentity target, PutOutcome missing, Principal principal, int depth,
        CancellationToken cancellationToken)
    {
        List<RepositoryIdentity> sources
            = [.. members.OfReadable(group, principal).Where(member => member != target)];
        var found = false;
        foreach (var digest in missing.MissingBlobs)
            found |= await TryTakeBlobAsync(sources, target, digest, principal, cancellationToken);
        foreach (var digest in missing.MissingManifests)
            found |= await TryTakeManifestAsync(group, sources, target, digest, principal, depth, cancellationToken);
        return found;
    }

    private async Task<bool> TryTakeBlobAsync(
        IReadOnlyList<RepositoryIdentity> sources, RepositoryIdentity target, Digest digest, Principal principal,
        CancellationToken cancellationToken)
    {
        var store = registries.StoreOf(target.Registry);
        foreach (var source in sources)
        {
            if (await links.MountAsync(source, target, digest, store.Name, cancellationToken))
                return true;
        }

        foreach (var source in sources)
        {
            var opened = await SourceOf(source)
                .OpenBlobAsync(source, digest, range: null, principal, cancellationToken);
            if (!opened.TryGet(out var blob, out _))
                continue;
            await using var content = blob.Content;
            if (await CopyAsync(content, store, digest, cancellationToken) is { } copy)
                return await links.AddAsync(target, copy, session: null, CancellationToken.None);
        }

        return false;
    }

    // Into another store, or of what a proxy has yet to fetch.
    private static async Task<StoredBlob?> CopyAsync(
        IBlobContent content, IBlobStore store, Digest digest, CancellationToken cancellationToken)
    {
        await using var arriving = await store.ReceiveAsync(
            digest, content.Size, cached: false, cancellationToken);
        if (content.Size > 0)
        {
            var pipe = new Pipe();
            var reading = ReadAsync();
            try
            {
                if (!await arriving.AppendAsync(pipe.Reader.AsStream(), cancellationToken))
                    return null;
            }
            finally
            {
                await pipe.Reader.CompleteAsync();
                await reading;
            }

            async Task ReadAsync()
            {
                try
                {
                    await content.CopyToAsync(pipe.Writer, new(0, content.Size - 1), cancellationToken);
                    await pipe.Writer.CompleteAsync();
                }
                catch (Exception cause) when (cause is IOException or StorageException or OperationCanceledException)
                {
                    await pipe.Writer.CompleteAsync(new IOException(cause.Message, cause));
                }
            }
        }

        return await arriving.PublishAsync(cancellationToken);
    }

    private async Task<bool> TryTakeManifestAsync(
        RepositoryIdentity group, IReadOnlyList<RepositoryIdentity> sources, RepositoryIdentity target, Digest digest,
        Principal principal, int depth, CancellationToken cancellationToken)
    {
        if (depth == MaxDepth)
            return false;
        foreach (var source in sources)
        {
            var got = await SourceOf(source).GetManifestAsync(source, digest, principal, cancellationToken);
            if (!got.TryGet(out var manifest, out _))
                continue;
            var put = new PutManifestCommand(
                target, digest, [], manifest.MediaType, manifest.Content, principal);
            if (!validator.Validate(put).IsValid)
                continue;
            var copy = new NewManifest(
                target, digest, put.Document.ToManifest(manifest.MediaType), manifest.Content, [], principal,
                MayOverwrite: false);
            var outcome = await manifests.PutAsync(copy, cancellationToken);
            if (outcome.IsRefused
                && await TakeAsync(group, target, outcome, principal, depth + 1, cancellationToken))
                outcome = await manifests.PutAsync(copy, cancellationToken);
            if (!outcome.IsRefused)
                return true;
        }

        return false;
    }

    private IPullSource SourceOf(RepositoryIdentity member)
        => registries.KindOf(member.Registry) is RegistryKind.Proxy ? proxies : hosted;
}
