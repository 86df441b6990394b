using Dapper;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Database;

/// <summary>
/// Notes, in the same transaction as the change, which manifests and tags the store's copies no longer agree with. A
/// note says "look at this again", so order and repetition do not matter.
/// </summary>
internal sealed class ManifestOutbox(RegistryDatabase database) : IDisposable
{
    /// <summary>Much longer than a batch takes; a worker that died leaves its notes to others after that.</summary>
    public static readonly TimeSpan Claim = TimeSpan.FromMinutes(2);

    private static readonly long ClaimMilliseconds = (long)Claim.TotalMilliseconds;

    private readonly SemaphoreSlim _added = new(0, 1);

    public static Task AddManifestAsync(DatabaseSession session, long repository, Digest digest)
        => AddAsync(session, repository, OutboxEntry.ManifestKind, digest.ToString());

    public static Task AddTagAsync(DatabaseSession session, long repository, string tag)
        => AddAsync(session, repository, OutboxEntry.TagKind, tag);

    /// <summary>Wakes the reader, once what was added is committed.</summary>
    public void Announce()
    {
        try
        {
            if (_added.CurrentCount == 0)
                _added.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another writer was first: the reader is awake.
        }
    }

    /// <summary>Returns when something was added, or after <paramref name="patience"/>.</summary>
    public Task WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
        => _added.WaitAsync(patience, cancellationToken);

    /// <summary>
    /// The oldest notes behind the one with the id <paramref name="after"/> that nobody works on, with the manifest or
    /// tag as it stands now.
    /// </summary>
    public Task<IReadOnlyList<OutboxEntry>> ReadAsync(long after, int limit, CancellationToken cancellationToken)
        => database.ReadAsync<IReadOnlyList<OutboxEntry>>(
            async session => [.. (await session.Connection.QueryAsync<Row>(
                """
                SELECT o.id, o.generation, o.repository_id AS RepositoryId, r.registry, r.name, o.kind, o.key,
                    t.digest AS TagDigest
                FROM outbox o
                JOIN repositories r ON r.id = o.repository_id
                LEFT JOIN tags t ON o.kind = 'tag' AND t.repository_id = o.repository_id AND t.name = o.key
                WHERE o.id > @after AND o.claimed_until <= registry_now() ORDER BY o.id LIMIT @limit
                """,
                new { after, limit })).Select(row => row.ToEntry())],
            cancellationToken);

    /// <summary>
    /// Takes notes for one worker, for as long as <see cref="Claim"/>; leaves out what others have taken, and what has
    /// changed since it was read.
    /// </summary>
    public async Task<IReadOnlyList<OutboxEntry>> ClaimAsync(
        IReadOnlyList<OutboxEntry> entries, CancellationToken cancellationToken)
    {
        var claimed = await database.WriteAsync(
            session => session.ForEachAsync(
                $"""
                UPDATE outbox SET claimed_until = registry_now() + @claim WHERE id = (
                    SELECT id FROM outbox
                    WHERE id = @id AND generation = @generation AND claimed_until <= registry_now(){session.SkipLocked})
                RETURNING 1
                """,
                entries,
                entry => [("@id", entry.Id), ("@generation", entry.Generation), ("@claim", ClaimMilliseconds)],
                cancellationToken),
            durable: false,
            cancellationToken);
        return [.. entries.Where((_, index) => claimed[index])];
    }

    /// <summary>Strikes out what is done, except what has changed again meanwhile.</summary>
    public async Task RemoveAsync(IReadOnlyList<OutboxEntry> done, CancellationToken cancellationToken)
    {
        if (done.Count == 0)
            return;
        var removed = await database.WriteAsync(
            session => session.ForEachAsync(
                $"""
                DELETE FROM outbox WHERE id = (
                    SELECT id FROM outbox WHERE id = @id AND generation = @generation{session.SkipLocked})
                RETURNING 1
                """,
                done,
                entry => [("@id", entry.Id), ("@generation", entry.Generation)],
                cancellationToken),
            durable: false,
            cancellationToken);
        await GiveBackAsync([.. done.Where((_, index) => !removed[index])], cancellationToken);
    }

    /// <summary>
    /// Lets anybody work on notes again that were not finished. A note that is gone was finished by somebody else while
    /// this worker had it for too long: it may have written an older state over a newer one, so it is noted again.
    /// </summary>
    public async Task GiveBackAsync(IReadOnlyList<OutboxEntry> entries, CancellationToken cancellationToken)
    {
        foreach (var entry in entries)
        {
            // One transaction each: several rows locked at once could get into the way of pushes.
            await database.WriteAsync(
                session => session.Connection.ExecuteAsync(
                    """
                    INSERT INTO outbox (repository_id, kind, key) VALUES (@RepositoryId, @Kind, @Key)
                    ON CONFLICT (repository_id, kind, key) DO UPDATE
                    SET generation = outbox.generation + 1, claimed_until = 0
                    """,
                    new { entry.RepositoryId, entry.Kind, entry.Key }),
                durable: false,
                cancellationToken);
        }
    }

    public void Dispose() => _added.Dispose();

    private static Task AddAsync(DatabaseSession session, long repository, string kind, string key)
        => session.ExecuteAsync(
            """
            INSERT INTO outbox (repository_id, kind, key) VALUES (@repository, @kind, @key)
            ON CONFLICT (repository_id, kind, key) DO UPDATE SET generation = outbox.generation + 1
            """,
            ("@repository", repository),
            ("@kind", kind),
            ("@key", key));

    private sealed record Row(
        long Id, long Generation, long RepositoryId, string Registry, string Name, string Kind, string Key,
        byte[]? TagDigest)
    {
        public OutboxEntry ToEntry() => new(
            Id,
            Generation,
            RepositoryId,
            new(RegistryName.Parse(Registry), RepositoryName.Parse(Name)),
            Kind == OutboxEntry.TagKind ? Key : null,
            Kind == OutboxEntry.TagKind ? TagDigest?.ToDigest() : Digest.Parse(Key));
    }
}

/// <param name="Tag">The tag that changed; null when it was a manifest.</param>
/// <param name="Digest">What the tag points at now, null when it is gone; or the manifest that changed.</param>
internal sealed record OutboxEntry(
    long Id, long Generation, long RepositoryId, RepositoryIdentity Repository, string? Tag, Digest? Digest)
{
    public const string ManifestKind = "manifest";
    public const string TagKind = "tag";

    public string Kind => Tag is null ? ManifestKind : TagKind;

    public string Key => Tag ?? Digest!.ToString();
}
