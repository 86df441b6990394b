using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Registry.Application.Manifests;
using Registry.Application.Registries;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Stores;

namespace Registry.Infrastructure.Outbox;

/// <summary>
/// Brings the stores' copies of manifests and tags into agreement with the database, behind the answers to pushes. What
/// a crash interrupts is done again; of several nodes, each does what it gets hold of first.
/// </summary>
internal sealed partial class ManifestArchiver(
    ManifestOutbox outbox, IManifestIndex manifests, RegistryMap registries, BlobStores stores,
    ILogger<ManifestArchiver> logger)
    : BackgroundService
{
    private const int BatchSize = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // What comes in this time is written together: nobody waits for copies.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(200);

    // Copies are many small files and cost more than the push itself: they take a quarter of a processor, however many
    // wait. What waits is safe in the database.
    private const int RestsPerWork = 3;

    // A store that fails so slowly is not asked again in the same batch: the notes of other stores wait for it.
    private static readonly TimeSpan SlowFailure = TimeSpan.FromSeconds(10);

    // The work of a store that is another server is mostly to wait for it.
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await WorkOffAsync(stoppingToken))
                {
                    await outbox.WaitAsync(Patience, stoppingToken);
                    await Task.Delay(Gathering, stoppingToken);
                }
                else
                {
                    await Task.Delay(Patience, stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The notes stay until they are done; requests do not depend on them.
                Log.Failed(logger, e);
                await Task.Delay(Patience, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // Goes through all notes once. False when some are left over: one store's failure must not hold up the others.
    private async Task<bool> WorkOffAsync(CancellationToken cancellationToken)
    {
        var complete = true;
        for (var after = 0L; await outbox.ReadAsync(after, BatchSize, cancellationToken) is { Count: > 0 } entries;)
        {
            var began = Stopwatch.GetTimestamp();
            var written = new Dictionary<IManifestArchive, List<OutboxEntry>>();
            var (done, left) = (new List<OutboxEntry>(entries.Count), new List<OutboxEntry>());
            var hanging = new HashSet<IManifestArchive>();
            Exception? failure = null;
            foreach (var entry in await outbox.ClaimAsync(entries, cancellationToken))
            {
                if (FindArchive(entry) is not { } archive)
                {
                    done.Add(entry); // of a registry that is not configured any more: nobody knows its store
                    continue;
                }

                if (hanging.Contains(archive))
                {
                    left.Add(entry);
                    continue;
                }

                try
                {
                    await ApplyAsync(entry, archive, cancellationToken);
                    if (written.TryGetValue(archive, out var others))
                        others.Add(entry);
                    else
                        written.Add(archive, [entry]);
                }
                catch (StorageException e)
                {
                    left.Add(entry);
                    failure = e;
                    if (Stopwatch.GetElapsedTime(began) > SlowFailure)
                        hanging.Add(archive);
                }
            }

            foreach (var (archive, copies) in written)
            {
                try
                {
                    await archive.FlushAsync(cancellationToken);
                    done.AddRange(copies);
                }
                catch (StorageException e)
                {
                    left.AddRange(copies);
                    failure = e;
                }
            }

            await outbox.RemoveAsync(done, cancellationToken);
            await outbox.GiveBackAsync(left, cancellationToken);
            after = entries[^1].Id;
            complete &= failure is null;
            if (failure is not null)
                Log.Failed(logger, failure);
            var rest = Stopwatch.GetElapsedTime(began) * RestsPerWork;
            await Task.Delay(rest < LongestRest ? rest : LongestRest, cancellationToken);
        }

        return complete;
    }

    private IManifestArchive? FindArchive(OutboxEntry entry)
        => registries.Contains(entry.Repository.Registry)
            ? stores.FindArchive(registries.StoreOf(entry.Repository.Registry).Name)
            : null;

    private async Task ApplyAsync(OutboxEntry entry, IManifestArchive archive, CancellationToken cancellationToken)
    {
        var work = entry switch
        {
            { Tag: { } tag, Digest: { } digest }
                => archive.PutTagAsync(entry.Repository, Tag.Parse(tag), digest, cancellationToken),
            { Tag: { } tag } => archive.RemoveTagAsync(entry.Repository, Tag.Parse(tag), cancellationToken),
            { Digest: { } digest }
                => await manifests.FindAsync(entry.Repository, digest, cancellationToken) is { } manifest
                    ? archive.PutManifestAsync(entry.Repository, digest, manifest.Content, cancellationToken)
                    : archive.RemoveManifestAsync(entry.Repository, digest, cancellationToken),
            _ => Task.CompletedTask,
        };
        await work;
    }

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Error, Message = "Copying manifests into the store failed; it will be tried again.")]
        public static partial void Failed(ILogger logger, Exception e);
    }
}
