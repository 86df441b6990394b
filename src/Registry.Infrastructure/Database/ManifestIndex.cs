using System.Data.Common;
using Dapper;
using Registry.Application.Manifests;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="IManifestIndex"/>
internal sealed class ManifestIndex(RegistryDatabase database, Leases leases, ManifestOutbox outbox) : IManifestIndex
{
    private const string ByDigest =
        """
        FROM repositories r
        JOIN manifests m ON m.repository_id = r.id AND m.digest = @reference
        WHERE r.registry = @registry AND r.name = @name
        """;

    private const string ByTag =
        """
        FROM repositories r
        JOIN tags t ON t.repository_id = r.id AND t.name = @reference
        JOIN manifests m ON m.repository_id = r.id AND m.digest = t.digest
        WHERE r.registry = @registry AND r.name = @name
        """;

    private const string GetByDigest = $"SELECT m.digest, m.media_type, m.size, m.payload {ByDigest}";
    private const string GetByTag = $"SELECT m.digest, m.media_type, m.size, m.payload {ByTag}";

    private const string HoldByDigest =
        $"""
        SELECT m.digest, m.media_type, m.size, m.id,
            CASE WHEN m.lease < @half_spent
                AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.repository_id = m.repository_id AND t.digest = m.digest)
                AND NOT EXISTS (
                    SELECT 1 FROM manifest_children c WHERE c.repository_id = m.repository_id AND c.child = m.digest)
            THEN 1 ELSE 0 END
        {ByDigest}
        """;

    // What a tag points at is referred to by that tag.
    private const string HoldByTag = $"SELECT m.digest, m.media_type, m.size, m.id, 0 {ByTag}";

    private const string InsertBlob
        = "INSERT INTO manifest_blobs (repository_id, manifest, blob) VALUES (@repository, @manifest, @blob) "
            + "ON CONFLICT DO NOTHING";

    private const string InsertChild
        = "INSERT INTO manifest_children (repository_id, manifest, child) VALUES (@repository, @manifest, @child) "
            + "ON CONFLICT DO NOTHING";

    public Task<StoredManifest?> FindAsync(
        RepositoryIdentity repository, Reference reference, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session =>
            {
                var command = session.Prepared(
                    reference is Tag ? GetByTag : GetByDigest,
                    ("@registry", repository.Registry.Value),
                    ("@name", repository.Name.Value),
                    ("@reference", Key(reference)));
                await using var row = await command.ExecuteReaderAsync(cancellationToken);
                return await row.ReadAsync(cancellationToken)
                    ? new StoredManifest(
                        row.GetFieldValue<byte[]>(0).ToDigest(),
                        MediaType.Parse(row.GetString(1)),
                        row.GetInt64(2),
                        row.GetFieldValue<byte[]>(3))
                    : null;
            },
            cancellationToken);

    public async Task<StoredManifest?> FindAndHoldAsync(
        RepositoryIdentity repository, Reference reference, CancellationToken cancellationToken)
    {
        var found = await database.ReadAsync<(StoredManifest Manifest, long Id, bool LeaseSpent)?>(
            async session =>
            {
                var (registry, name, key) = (
                    ("@registry", repository.Registry.Value),
                    ("@name", repository.Name.Value),
                    ("@reference", Key(reference)));
                var command = reference is Tag
                    ? session.Prepared(HoldByTag, registry, name, key)
                    : session.Prepared(HoldByDigest, registry, name, key, ("@half_spent", leases.HalfSpent));
                await using var row = await command.ExecuteReaderAsync(cancellationToken);
                return await row.ReadAsync(cancellationToken)
                    ? (new(
                            row.GetFieldValue<byte[]>(0).ToDigest(),
                            MediaType.Parse(row.GetString(1)),
                            row.GetInt64(2),
                            default),
                        row.GetInt64(3),
                        row.GetInt64(4) != 0)
                    : null;
            },
            cancellationToken);
        if (found is not { LeaseSpent: true } spent)
            return found?.Manifest;

        // Written before the answer: a lease that is only on its way protects nobody.
        var held = await database.WriteAsync(
            async session => await session.Connection.ExecuteAsync(
                "UPDATE manifests SET lease = @Full WHERE id = @Id", new { leases.Full, spent.Id }) > 0,
            durable: false,
            cancellationToken);
        return held ? spent.Manifest : null;
    }

    public async Task<MissingReferences> PutAsync(NewManifest manifest, CancellationToken cancellationToken)
    {
        // Looked at beforehand, so that a manifest that cannot be taken does not hold up the writers; the write looks
        // again.
        var missing = await database.ReadAsync(
            async session => await FindMissingAsync(
                session,
                await session.Connection.FindRepositoryAsync(manifest.Repository),
                manifest.Manifest,
                cancellationToken),
            cancellationToken);
        if (missing.Any)
            return missing;

        missing = await database.WriteAsync(
            session => PutAsync(session, manifest, cancellationToken), durable: true, cancellationToken);
        outbox.Announce();
        return missing;
    }

    public async Task<bool> DeleteAsync(
        RepositoryIdentity repository, Digest digest, Principal principal, CancellationToken cancellationToken)
    {
        var deleted = await database.WriteAsync(
            session => DeleteAsync(session.Connection, repository, digest, principal),
            durable: true,
            cancellationToken);
        outbox.Announce();
        return deleted;
    }

    private async Task<MissingReferences> PutAsync(
        DatabaseSession session, NewManifest manifest, CancellationToken cancellationToken)
    {
        var connection = session.Connection;
        var repositoryId = await connection.FindRepositoryAsync(manifest.Repository);
        var missing = await FindMissingAsync(session, repositoryId, manifest.Manifest, cancellationToken);
        if (missing.Any)
            return missing;

        var now = leases.Now;
        var repository = repositoryId ?? await connection.EnsureRepositoryAsync(manifest.Repository, now);
        var digest = manifest.Digest.ToColumn();
        await StoreAsync(session, repository, digest, manifest, now);
        foreach (var tag in manifest.Tags)
            await MoveTagAsync(connection, repository, tag, digest, manifest.Principal, now);
        await ManifestOutbox.AddManifestAsync(connection, repository, manifest.Digest);
        return MissingReferences.None;
    }

    private async Task<bool> DeleteAsync(
        DbConnection connection, RepositoryIdentity repository, Digest digest, Principal principal)
    {
        if (await connection.FindRepositoryAsync(repository) is not { } id)
            return false;
        var now = leases.Now;
        var row = new { id, digest = digest.ToColumn(), leases.Full };
        if (await connection.ExecuteAsync(
            "DELETE FROM manifests WHERE repository_id = @id AND digest = @digest", row) == 0)
            return false;

        var tags = await connection.QueryAsync<string>(
            "DELETE FROM tags WHERE repository_id = @id AND digest = @digest RETURNING name", row);
        foreach (var tag in tags)
        {
            await TagIndex.RecordAsync(connection, id, tag, digest: null, principal, now);
            await ManifestOutbox.AddTagAsync(connection, id, tag);
        }

        // What it alone may have kept (blobs, children, what refers to it) starts a full lease: a client that has just
        // seen it can still rely on it.
        await connection.ExecuteAsync(
            """
            UPDATE repository_blobs SET lease = @Full WHERE repository_id = @id
                AND digest IN (SELECT blob FROM manifest_blobs WHERE repository_id = @id AND manifest = @digest);
            UPDATE manifests SET lease = @Full WHERE repository_id = @id
                AND digest IN (SELECT child FROM manifest_children WHERE repository_id = @id AND manifest = @digest);
            UPDATE manifests SET lease = @Full WHERE repository_id = @id AND subject = @digest;
            DELETE FROM manifest_blobs WHERE repository_id = @id AND manifest = @digest;
            DELETE FROM manifest_children WHERE repository_id = @id AND manifest = @digest;
            """,
            row);
        await ManifestOutbox.AddManifestAsync(connection, id, digest);
        return true;
    }

    private static object Key(Reference reference) => reference switch
    {
        Tag tag => tag.Value,
        Digest digest => digest.ToColumn(),
        _ => throw new ArgumentException($"'{reference}' is neither a tag nor a digest.", nameof(reference)),
    };

    private static async Task<MissingReferences> FindMissingAsync(
        DatabaseSession session, long? repository, Manifest manifest, CancellationToken cancellationToken)
    {
        if (repository is not { } id)
            return new(manifest.RequiredBlobs, manifest.Children);

        var (blobs, children) = (new List<Digest>(), new List<Digest>());
        foreach (var blob in manifest.RequiredBlobs)
        {
            var found = session.Prepared(
                """
                SELECT 1 FROM repository_blobs l JOIN blobs b ON b.store = l.store AND b.digest = l.digest
                WHERE l.repository_id = @repository AND l.digest = @digest AND b.state = 'present'
                """,
                ("@repository", id),
                ("@digest", blob.ToColumn()));
            if (await found.ExecuteScalarAsync(cancellationToken) is null)
                blobs.Add(blob);
        }

        foreach (var child in manifest.Children)
        {
            var found = session.Prepared(
                "SELECT 1 FROM manifests WHERE repository_id = @repository AND digest = @digest",
                ("@repository", id),
                ("@digest", child.ToColumn()));
            if (await found.ExecuteScalarAsync(cancellationToken) is null)
                children.Add(child);
        }

        return blobs.Count + children.Count == 0 ? MissingReferences.None : new(blobs, children);
    }

    private async Task StoreAsync(DatabaseSession session, long repository, byte[] digest, NewManifest put, long now)
    {
        var manifest = put.Manifest;
        await session.Connection.ExecuteAsync(
            """
            INSERT INTO manifests (
                repository_id, digest, media_type, artifact_type, config_type, subject, size, lease, pushed_at,
                annotations, payload)
            VALUES (
                @repository, @digest, @MediaType, @ArtifactType, @ConfigType, @Subject, @Size, @Full, @now,
                @Annotations, @Payload)
            ON CONFLICT (repository_id, digest) DO UPDATE
            SET media_type = excluded.media_type, lease = excluded.lease, pushed_at = excluded.pushed_at
            """,
            new
            {
                repository,
                digest,
                MediaType = manifest.MediaType.Value,
                ArtifactType = manifest.ArtifactType?.Value,
                ConfigType = (manifest as ImageManifest)?.Config.MediaType.Value,
                Subject = manifest.Subject?.Digest.ToColumn(),
                Size = (long)put.Content.Length,
                leases.Full,
                now,
                manifest.Annotations,
                Payload = put.Content.ToArray(),
            });
        foreach (var blob in manifest.Blobs)
            await session.Prepared(
                    InsertBlob, ("@repository", repository), ("@manifest", digest), ("@blob", blob.ToColumn()))
                .ExecuteNonQueryAsync();
        foreach (var child in manifest.Children)
            await session.Prepared(
                    InsertChild, ("@repository", repository), ("@manifest", digest), ("@child", child.ToColumn()))
                .ExecuteNonQueryAsync();
    }

    private async Task MoveTagAsync(
        DbConnection connection, long repository, Tag tag, byte[] digest, Principal principal, long now)
    {
        var row = new { repository, tag = tag.Value, digest, now, leases.Full };

        // The manifest that loses the tag may have nothing else that keeps it.
        await connection.ExecuteAsync(
            """
            UPDATE manifests SET lease = @Full WHERE repository_id = @repository
                AND digest = (
                    SELECT digest FROM tags WHERE repository_id = @repository AND name = @tag AND digest <> @digest)
            """,
            row);
        var moved = await connection.ExecuteAsync(
            """
            INSERT INTO tags (repository_id, name, digest, updated_at) VALUES (@repository, @tag, @digest, @now)
            ON CONFLICT (repository_id, name) DO UPDATE SET digest = excluded.digest, updated_at = excluded.updated_at
            WHERE tags.digest <> excluded.digest
            """,
            row);
        if (moved > 0)
            await TagIndex.RecordAsync(connection, repository, tag.Value, digest, principal, now);
        await ManifestOutbox.AddTagAsync(connection, repository, tag.Value);
    }
}
