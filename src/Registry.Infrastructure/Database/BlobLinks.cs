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
    private const string Find =
        """
        SELECT b.store, b.location, b.size, b.generation, l.repository_id,
            CASE WHEN l.lease < @half_spent AND NOT EXISTS (
                SELECT 1 FROM manifest_blobs m WHERE m.repository_id = l.repository_id AND m.blob = l.digest)
            THEN 1 ELSE 0 END
        FROM repositories r
        JOIN repository_blobs l ON l.repository_id = r.id AND l.digest = @digest
        JOIN blobs b ON b.store = l.store AND b.digest = l.digest
        WHERE r.registry = @registry AND r.name = @name AND b.state = 'present'
        """;

    public Task<StoredBlob?> FindAsync(
        RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session => await ReadAsync(session, repository, digest, halfSpent: 0, cancellationToken) is { } link
                ? link.Blob
                : null,
            cancellationToken);

    public async Task<StoredBlob?> FindAndHoldAsync(
        RepositoryIdentity repository, Digest digest, CancellationToken cancellationToken)
    {
        var link = await database.ReadAsync(
            session => ReadAsync(session, repository, digest, leases.HalfSpent, cancellationToken), cancellationToken);
        if (link is not { LeaseSpent: true })
            return link?.Blob;

        // Written before the answer: a lease that is only on its way protects nobody.
        var held = await database.WriteAsync(
            async session => await session.Connection.ExecuteAsync(
                "UPDATE repository_blobs SET lease = @Full WHERE repository_id = @RepositoryId AND digest = @Digest",
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
                if (session is not null && await write.Connection.ExecuteAsync(
                    "DELETE FROM uploads WHERE id = @Id AND version = @Version",
                    new { Id = session.Id.ToString(), session.Version }) == 0)
                    return false;

                var now = leases.Now;
                var digest = blob.Digest.ToColumn();
                await write.Connection.ExecuteAsync(
                    """
                    INSERT INTO blobs (store, digest, location, size, state, created_at)
                    VALUES (@Store, @digest, @Location, @Size, 'present', @now)
                    ON CONFLICT (store, digest) DO UPDATE
                    SET location = excluded.location, size = excluded.size, state = 'present',
                        generation = blobs.generation + 1
                    """,
                    new { blob.Store, digest, blob.Location, blob.Size, now });
                await LinkAsync(write.Connection, repository, blob.Store, digest, now);
                return true;
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
                // Looked up again: what was there a moment ago may be gone by now.
                if (await ReadAsync(session, source, digest, halfSpent: 0, cancellationToken) is not { } link
                    || link.Blob.Store != store)
                    return false;
                await LinkAsync(session.Connection, target, store, digest.ToColumn(), leases.Now);
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
                WHERE store = @Store AND digest = @digest AND generation = @Generation AND state = 'present'
                """,
                new { blob.Store, digest = blob.Digest.ToColumn(), blob.Generation }),
            durable: false,
            cancellationToken);

    private async Task LinkAsync(
        DbConnection connection, RepositoryIdentity repository, string store, byte[] digest, long now)
        => await connection.ExecuteAsync(
            """
            INSERT INTO repository_blobs (repository_id, digest, store, lease)
            VALUES (@repositoryId, @digest, @store, @Full)
            ON CONFLICT (repository_id, digest) DO UPDATE SET store = excluded.store, lease = excluded.lease
            """,
            new { repositoryId = await connection.EnsureRepositoryAsync(repository, now), digest, store, leases.Full });

    private static async Task<Link?> ReadAsync(
        DatabaseSession session, RepositoryIdentity repository, Digest digest, long halfSpent,
        CancellationToken cancellationToken)
    {
        var command = session.Prepared(
            Find,
            ("@registry", repository.Registry.Value),
            ("@name", repository.Name.Value),
            ("@digest", digest.ToColumn()),
            ("@half_spent", halfSpent));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken)
            ? new(
                new(row.GetString(0), digest, row.GetString(1), row.GetInt64(2), row.GetInt64(3)),
                row.GetInt64(4),
                row.GetInt64(5) != 0)
            : null;
    }

    private sealed record Link(StoredBlob Blob, long RepositoryId, bool LeaseSpent);
}
