using System.Data.Common;
using Dapper;
using Registry.Application.Blobs;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="IBlobLinks"/>
internal sealed class BlobLinks(RegistryDatabase database, Leases leases) : IBlobLinks
{
    private const string Columns = "SELECT b.store, b.location, b.size, b.generation";

    private const string Link =
        """
        FROM repositories r
        JOIN repository_blobs l ON l.repository_id = r.id AND l.digest = @digest
        JOIN blobs b ON b.store = l.store AND b.digest = l.digest
        WHERE r.registry = @registry AND r.name = @name AND b.state = 'present'
        """;

    private const string Find = $"{Columns} {Link}";

    private const string FindAndJudge =
        $"""
        {Columns}, l.repository_id,
            CASE WHEN l.lease < registry_now() + @half AND NOT EXISTS (
                SELECT 1 FROM manifest_blobs m WHERE m.repository_id = l.repository_id AND m.blob = l.digest)
            THEN 1 ELSE 0 END
        {Link}
        """;

    private const string Place =
        """
        INSERT INTO blobs (store, digest, location, size, state, created_at)
        VALUES (@store, @digest, @location, @size, 'present', registry_now())
        ON CONFLICT (store, digest) DO UPDATE
        SET location = excluded.location, size = excluded.size, state = 'present', generation = blobs.generation + 1
        """;

    private const string PlaceUnlessLinked =
        $"""
        {Place}
        WHERE blobs.state <> 'present' OR NOT EXISTS (
            SELECT 1 FROM repository_blobs l WHERE l.digest = excluded.digest AND l.store = excluded.store)
        """;

    public Task<StoredBlob?> FindAsync(
        RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken)
        => database.ReadAsync(
            session => ReadAsync(session, Find, repository, digest, cancellationToken), cancellationToken);

    public async Task<StoredBlob?> FindAndHoldAsync(
        RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken)
    {
        var found = await database.ReadAsync<(StoredBlob Blob, long RepositoryId, bool LeaseSpent)?>(
            async session =>
            {
                var command = session.Prepared(
                    FindAndJudge,
                    ("@registry", repository.Registry.Value),
                    ("@name", repository.Name.Value),
                    ("@digest", digest.ToColumn()),
                    ("@half", leases.Half));
                await using var row = await command.ExecuteReaderAsync(cancellationToken);
                return await row.ReadAsync(cancellationToken)
                    ? (ToBlob(row, digest), row.GetInt64(4), row.GetInt64(5) != 0)
                    : null;
            },
            cancellationToken);
        if (found is not { LeaseSpent: true } link)
            return found?.Blob;

        // Written before the answer: a lease that is only on its way protects nobody.
        var held = await database.WriteAsync(
            async session => await session.Connection.ExecuteAsync(
                """
                UPDATE repository_blobs SET lease = registry_now() + @Full
                WHERE repository_id = @RepositoryId AND digest = @Digest
                """,
                new { leases.Full, link.RepositoryId, Digest = digest.ToColumn() }) > 0,
            durable: false,
            cancellationToken);
        return held ? link.Blob : null;
    }

    public Task<bool> AddAsync(
        RepositoryIdentity repository, StoredBlob blob, UploadSession? session, CancellationToken cancellationToken)
        => database.WriteAsync(
            async write =>
            {
                if (session is not null && await write.ExecuteAsync(
                    "DELETE FROM uploads WHERE id = @id AND version = @version",
                    ("@id", session.Id.ToString()),
                    ("@version", session.Version)) == 0)
                    return false;

                await PlaceAsync(write, Place, repository, blob);
                return true;
            },
            durable: true,
            cancellationToken);

    public Task<bool> AddCachedAsync(
        RepositoryIdentity repository, StoredBlob blob, CancellationToken cancellationToken)
        => database.WriteAsync(
            async write =>
            {
                await PlaceAsync(write, PlaceUnlessLinked, repository, blob);
                // Looked at, not counted: a write that is repeated finds what it has written itself.
                return (string?)await write.ScalarAsync(
                    "SELECT location FROM blobs WHERE store = @store AND digest = @digest",
                    ("@store", blob.Store),
                    ("@digest", blob.Digest.ToColumn())) == blob.Location;
            },
            durable: true,
            cancellationToken);

    public async Task<bool> MountAsync(
        RepositoryIdentity source, RepositoryIdentity target, Digest digest, string store,
        CancellationToken cancellationToken)
    {
        var found = await FindAsync(source, digest, cancellationToken);
        if (found?.Store != store)
            return false;

        return await database.WriteAsync(
            async session =>
            {
                // Looked up again and locked: what was there a moment ago may be gone by now.
                var blob = await ReadAsync(session, Find + session.ForShare("b"), source, digest, cancellationToken);
                if (blob?.Store != store)
                    return false;
                await LinkAsync(session, target, store, digest.ToColumn());
                return true;
            },
            durable: true,
            cancellationToken);
    }

    public Task<IReadOnlyList<RepositoryIdentity>> ListRepositoriesAsync(
        Digest digest, int limit, CancellationToken cancellationToken)
        => database.ReadAsync<IReadOnlyList<RepositoryIdentity>>(
            async session =>
            {
                var rows = await session.Connection.QueryAsync<(string Registry, string Name)>(
                    """
                    SELECT r.registry, r.name FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id
                    WHERE l.digest = @digest LIMIT @limit
                    """,
                    new { digest = digest.ToColumn(), limit });
                return [.. rows.Select(
                    row => new RepositoryIdentity(RegistryName.Parse(row.Registry), RepositoryName.Parse(row.Name)))];
            },
            cancellationToken);

    public Task<bool> RemoveAsync(RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken)
        => database.WriteAsync(
            async session => await session.Connection.ExecuteAsync(
                """
                DELETE FROM repository_blobs
                WHERE digest = @digest
                    AND repository_id = (SELECT id FROM repositories WHERE registry = @Registry AND name = @Name)
                """,
                new { digest = digest.ToColumn(), Registry = repository.Registry.Value, Name = repository.Name.Value })
                > 0,
            durable: true,
            cancellationToken);

    public Task MarkMissingAsync(StoredBlob blob, CancellationToken cancellationToken)
        => database.WriteAsync(
            session => session.Connection.ExecuteAsync(
                """
                UPDATE blobs SET state = 'missing'
                WHERE store = @Store AND digest = @digest AND location = @Location AND generation = @Generation
                    AND state = 'present'
                """,
                new { blob.Store, digest = blob.Digest.ToColumn(), blob.Location, blob.Generation }),
            durable: false,
            cancellationToken);

    // It locks the blob's row, changed or not, so that nobody takes the blob away before its link is there.
    private async Task PlaceAsync(
        DatabaseSession session, string sql, RepositoryIdentity repository, StoredBlob blob)
    {
        var digest = blob.Digest.ToColumn();
        await session.ExecuteAsync(
            sql,
            ("@store", blob.Store),
            ("@digest", digest),
            ("@location", blob.Location),
            ("@size", blob.Size));
        await LinkAsync(session, repository, blob.Store, digest);
    }

    private async Task LinkAsync(DatabaseSession session, RepositoryIdentity repository, string store, byte[] digest)
        => await session.ExecuteAsync(
            """
            INSERT INTO repository_blobs (repository_id, digest, store, lease)
            VALUES (@repository, @digest, @store, registry_now() + @full)
            ON CONFLICT (repository_id, digest) DO UPDATE SET store = excluded.store, lease = excluded.lease
            """,
            ("@repository", await session.EnsureRepositoryAsync(repository)),
            ("@digest", digest),
            ("@store", store),
            ("@full", leases.Full));

    private static async Task<StoredBlob?> ReadAsync(
        DatabaseSession session, string sql, RepositoryIdentity repository, Digest digest,
        CancellationToken cancellationToken)
    {
        var command = session.Prepared(
            sql,
            ("@registry", repository.Registry.Value),
            ("@name", repository.Name.Value),
            ("@digest", digest.ToColumn()));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? ToBlob(row, digest) : null;
    }

    private static StoredBlob ToBlob(DbDataReader row, Digest digest)
        => new(row.GetString(0), digest, row.GetString(1), row.GetInt64(2), row.GetInt64(3));
}
