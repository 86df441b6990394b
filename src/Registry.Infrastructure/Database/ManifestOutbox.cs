using System.Data.Common;
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
    private readonly SemaphoreSlim _added = new(0, 1);

    public static Task AddManifestAsync(DbConnection connection, long repository, Digest digest)
        => AddAsync(connection, repository, "manifest", digest.ToString());

    public static Task AddTagAsync(DbConnection connection, long repository, string tag)
        => AddAsync(connection, repository, "tag", tag);

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
    /// The oldest notes behind the one with the id <paramref name="after"/>, with the manifest or tag as it stands now.
    /// </summary>
    public Task<IReadOnlyList<OutboxEntry>> ReadAsync(long after, int limit, CancellationToken cancellationToken)
        => database.ReadAsync<IReadOnlyList<OutboxEntry>>(
            async session => [.. (await session.Connection.QueryAsync<Row>(
                """
                SELECT o.id, o.generation, r.registry, r.name, o.kind, o.key, t.digest AS TagDigest
                FROM outbox o
                JOIN repositories r ON r.id = o.repository_id
                LEFT JOIN tags t ON o.kind = 'tag' AND t.repository_id = o.repository_id AND t.name = o.key
                WHERE o.id > @after ORDER BY o.id LIMIT @limit
                """,
                new { after, limit })).Select(row => row.ToEntry())],
            cancellationToken);

    /// <summary>Strikes out what is done, except what has changed again meanwhile.</summary>
    public Task RemoveAsync(IReadOnlyCollection<OutboxEntry> done, CancellationToken cancellationToken)
        => database.WriteAsync(
            session => session.Connection.ExecuteAsync(
                "DELETE FROM outbox WHERE id = @Id AND generation = @Generation",
                done.Select(entry => new { entry.Id, entry.Generation })),
            durable: false,
            cancellationToken);

    public void Dispose() => _added.Dispose();

    private static Task AddAsync(DbConnection connection, long repository, string kind, string key)
        => connection.ExecuteAsync(
            """
            INSERT INTO outbox (repository_id, kind, key) VALUES (@repository, @kind, @key)
            ON CONFLICT (repository_id, kind, key) DO UPDATE SET generation = outbox.generation + 1
            """,
            new { repository, kind, key });

    private sealed record Row(
        long Id, long Generation, string Registry, string Name, string Kind, string Key, byte[]? TagDigest)
    {
        public OutboxEntry ToEntry() => new(
            Id,
            Generation,
            new(RegistryName.Parse(Registry), RepositoryName.Parse(Name)),
            Kind == "tag" ? Key : null,
            Kind == "tag" ? TagDigest?.ToDigest() : Digest.Parse(Key));
    }
}

/// <param name="Tag">The tag that changed; null when it was a manifest.</param>
/// <param name="Digest">What the tag points at now, null when it is gone; or the manifest that changed.</param>
internal sealed record OutboxEntry(
    long Id, long Generation, RepositoryIdentity Repository, string? Tag, Digest? Digest);
