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
            CASE WHEN m.lease < registry_now() + @half
                AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.repository_id = m.repository_id AND t.digest = m.digest)
                AND NOT EXISTS (
                    SELECT 1 FROM manifest_children c WHERE c.repository_id = m.repository_id AND c.child = m.digest)
            THEN 1 ELSE 0 END
        {ByDigest}
        """;

    // What a tag points at is referred to by that tag.
    private const string HoldByTag = $"SELECT m.digest, m.media_type, m.size, m.id, 0 {ByTag}";

    private const string FindBlob =
        """
        SELECT 1 FROM repository_blobs l JOIN blobs b ON b.store = l.store AND b.digest = l.digest
        WHERE l.repository_id = @repository AND l.digest = @digest AND b.state = 'present'
        """;

    private const string FindChild
        = "SELECT 1 FROM manifests m WHERE m.repository_id = @repository AND m.digest = @digest";

    private const string InsertBlob
        = "INSERT INTO manifest_blobs (repository_id, manifest, blob) VALUES (@repository, @manifest, @blob) "
            + "ON CONFLICT DO NOTHING RETURNING 1";

    private const string InsertChild
        = "INSERT INTO manifest_children (repository_id, manifest, child) VALUES (@repository, @manifest, @child) "
            + "ON CONFLICT DO NOTHING RETURNING 1";

    public Task<StoredManifest?> FindAsync(
        RepositoryIdentity repository, Reference reference, CancellationToken cancellationToken)
        => database.ReadAsync(
            session =>
            {
                var command = session.Prepared(
                    reference is Tag ? GetByTag : GetByDigest,
                    ("@registry", repository.Registry.Value),
                    ("@name", repository.Name.Value),
                    ("@reference", Key(reference)));
                using var row = DatabaseSession.OpenRow(command);
                return Task.FromResult(row is null ? null : ToManifest(row));
            },
            cancellationToken);

    /// <param name="row">Begins with digest, media type, size and payload.</param>
    public static StoredManifest ToManifest(DbDataReader row)
        => new(
            row.GetFieldValue<byte[]>(0).ToDigest(),
            MediaType.Parse(row.GetString(1)),
            row.GetInt64(2),
            row.GetFieldValue<byte[]>(3));

    public async Task<StoredManifest?> FindAndHoldAsync(
        RepositoryIdentity repository, Reference reference, CancellationToken cancellationToken)
    {
        var found = await database.ReadAsync<(StoredManifest Manifest, long Id, bool LeaseSpent)?>(
            session =>
            {
                var (registry, name, key) = (
                    ("@registry", repository.Registry.Value),
                    ("@name", repository.Name.Value),
                    ("@reference", Key(reference)));
                var command = reference is Tag
                    ? session.Prepared(HoldByTag, registry, name, key)
                    : session.Prepared(HoldByDigest, registry, name, key, ("@half", leases.Half));
                using var row = DatabaseSession.OpenRow(command);
                return Task.FromResult<(StoredManifest, long, bool)?>(row is null
                    ? null
                    : (new(
                            row.GetFieldValue<byte[]>(0).ToDigest(),
                            MediaType.Parse(row.GetString(1)),
                            row.GetInt64(2),
                            default),
                        row.GetInt64(3),
                        row.GetInt64(4) != 0));
            },
            cancellationToken);
        if (found is not { LeaseSpent: true } spent)
            return found?.Manifest;

        // Written before the answer: a lease that is only on its way protects nobody.
        var held = await database.WriteAsync(
            async session => await session.Connection.ExecuteAsync(
                "UPDATE manifests SET lease = registry_now() + @Full WHERE id = @Id",
                new { leases.Full, spent.Id }) > 0,
            durable: false,
            cancellationToken);
        return held ? spent.Manifest : null;
    }

    public async Task<PutOutcome> PutAsync(NewManifest manifest, CancellationToken cancellationToken)
    {
        if (manifest.IsCopy)
        {
            return await database.WriteAsync(
                session => PutCopyAsync(session, manifest, cancellationToken), durable: true, cancellationToken);
        }

        // Looked at beforehand, so that a manifest that cannot be taken does not hold up the writers; the write looks
        // again.
        var missing = await database.ReadAsync(
            async session => await FindMissingAsync(
                session,
                await session.FindRepositoryAsync(manifest.Repository),
                manifest.Manifest,
                hold: false,
                cancellationToken),
            cancellationToken);
        if (missing.IsRefused)
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
            session => DeleteAsync(session, repository, digest, principal, cancellationToken),
            durable: true,
            cancellationToken);
        outbox.Announce();
        return deleted;
    }

    private async Task<PutOutcome> PutAsync(
        DatabaseSession session, NewManifest manifest, CancellationToken cancellationToken)
    {
        var digest = manifest.Digest.ToColumn();
        var known = await session.FindRepositoryAsync(manifest.Repository);
        if (known is null && manifest.Manifest.RequiredBlobs.Count + manifest.Manifest.Children.Count > 0)
            return new(manifest.Manifest.RequiredBlobs, manifest.Manifest.Children);

        var repository = known ?? await session.EnsureRepositoryAsync(manifest.Repository);
        await session.LockForPutAsync(repository, digest, manifest.Tags);
        var missing = await FindMissingAsync(session, repository, manifest.Manifest, hold: true, cancellationToken);
        if (missing.IsRefused)
            return missing;
        // Nobody can make or move them until this transaction ends.
        if (!manifest.MayOverwrite
            && await FindOtherAsync(session, repository, digest, manifest.Tags) is { } kept)
            return PutOutcome.Stored with { KeptTag = kept };

        await StoreAsync(session, repository, digest, manifest, cancellationToken);
        // In one order, for all who move several of them.
        foreach (var tag in manifest.Tags.OrderBy(tag => tag.Value, StringComparer.Ordinal))
        {
            await MoveTagAsync(session, repository, tag, digest, manifest.Principal);
            await ManifestOutbox.AddTagAsync(session, repository, tag.Value);
        }

        await ManifestOutbox.AddManifestAsync(session, repository, manifest.Digest);
        return missing;
    }

    // What can be fetched again needs no copy in the store from which a lost database is rebuilt.
    private async Task<PutOutcome> PutCopyAsync(
        DatabaseSession session, NewManifest manifest, CancellationToken cancellationToken)
    {
        var digest = manifest.Digest.ToColumn();
        var repository = await session.EnsureRepositoryAsync(manifest.Repository);
        await session.LockForPutAsync(repository, digest, manifest.Tags);
        await StoreAsync(session, repository, digest, manifest, cancellationToken);
        foreach (var tag in manifest.Tags.OrderBy(tag => tag.Value, StringComparer.Ordinal))
        {
            await MoveTagAsync(session, repository, tag, digest, manifest.Principal);
            await ProxyCache.ConfirmAsync(session, repository, tag, digest);
        }

        return PutOutcome.Stored;
    }

    /// <summary>One of the tags that names another manifest; null when none does.</summary>
    private static async Task<Tag?> FindOtherAsync(
        DatabaseSession session, long repository, byte[] digest, IReadOnlyList<Tag> tags)
    {
        foreach (var tag in tags)
        {
            var other = await session.ScalarAsync(
                "SELECT 1 FROM tags WHERE repository_id = @repository AND name = @tag AND digest <> @digest",
                ("@repository", repository),
                ("@tag", tag.Value),
                ("@digest", digest));
            if (other is not null)
                return tag;
        }

        return null;
    }

    private async Task<bool> DeleteAsync(
        DatabaseSession session, RepositoryIdentity repository, Digest digest, Principal principal,
        CancellationToken cancellationToken)
    {
        var connection = session.Connection;
        if (await session.FindRepositoryAsync(repository) is not { } id)
            return false;
        var row = new { id, digest = digest.ToColumn(), leases.Full };
        await session.LockForDeleteAsync(id, row.digest);
        if (await connection.ExecuteAsync(
            "DELETE FROM manifests WHERE repository_id = @id AND digest = @digest", row) == 0)
            return false;

        var tags = await connection.QueryAsync<string>(
            "DELETE FROM tags WHERE repository_id = @id AND digest = @digest RETURNING name", row);
        foreach (var tag in tags)
        {
            await TagIndex.RecordAsync(session, id, tag, digest: null, principal);
            await ManifestOutbox.AddTagAsync(session, id, tag);
        }

        // What it alone may have kept (blobs, children, what refers to it) starts a full lease: a client that has just
        // seen it can still rely on it.
        await connection.ExecuteAsync(
            """
            UPDATE repository_blobs SET lease = registry_now() + @Full WHERE repository_id = @id
                AND digest IN (SELECT blob FROM manifest_blobs WHERE repository_id = @id AND manifest = @digest);
            UPDATE manifests SET lease = registry_now() + @Full WHERE repository_id = @id
                AND digest IN (SELECT child FROM manifest_children WHERE repository_id = @id AND manifest = @digest);
            UPDATE manifests SET lease = registry_now() + @Full WHERE repository_id = @id AND subject = @digest;
            DELETE FROM manifest_blobs WHERE repository_id = @id AND manifest = @digest;
            DELETE FROM manifest_children WHERE repository_id = @id AND manifest = @digest;
            """,
            row);
        await ManifestOutbox.AddManifestAsync(session, id, digest);
        return true;
    }

    private static object Key(Reference reference) => reference switch
    {
        Tag tag => tag.Value,
        Digest digest => digest.ToColumn(),
        _ => throw new ArgumentException($"'{reference}' is neither a tag nor a digest.", nameof(reference)),
    };

    /// <param name="hold">Keeps what is found as it is until the end of the transaction.</param>
    private static async Task<PutOutcome> FindMissingAsync(
        DatabaseSession session, long? repository, Manifest manifest, bool hold, CancellationToken cancellationToken)
    {
        if (repository is not { } id)
            return new(manifest.RequiredBlobs, manifest.Children);

        var blobs = await MissingOfAsync(FindBlob + (hold ? session.ForShare("b") : ""), manifest.RequiredBlobs);
        var children = await MissingOfAsync(FindChild + (hold ? session.ForKeyShare("m") : ""), manifest.Children);
        // It may come later, so it is not locked, and only what has been stored is told about it.
        IReadOnlyList<Digest> subject = hold && manifest.Subject is { } referred ? [referred.Digest] : [];
        var absent = await MissingOfAsync(FindChild, subject);
        return blobs.Count + children.Count + absent.Count == 0
            ? PutOutcome.Stored
            : new(blobs, children, absent is [var one] ? one : null);

        // Rows are locked in the order of their digests, and what is missing is told in the order of the manifest.
        async Task<IReadOnlyList<Digest>> MissingOfAsync(string sql, IReadOnlyList<Digest> wanted)
        {
            var ordered = wanted.OrderBy(digest => digest.ToString(), StringComparer.Ordinal).ToList();
            var found = await session.ForEachAsync(
                sql, ordered, digest => [("@repository", id), ("@digest", digest.ToColumn())], cancellationToken);
            var missing = ordered.Where((_, index) => !found[index]).ToHashSet();
            return missing.Count == 0 ? [] : [.. wanted.Where(missing.Contains)];
        }
    }

    private async Task StoreAsync(
        DatabaseSession session, long repository, byte[] digest, NewManifest put, CancellationToken cancellationToken)
    {
        var manifest = put.Manifest;
        await session.ExecuteAsync(
            """
            INSERT INTO manifests (
                repository_id, digest, media_type, artifact_type, config_type, subject, size, lease, pushed_at,
                annotations, payload)
            VALUES (
                @repository, @digest, @media_type, @artifact_type, @config_type, @subject, @size,
                registry_now() + @full, registry_now(), @annotations, @payload)
            ON CONFLICT (repository_id, digest) DO UPDATE
            SET media_type = excluded.media_type, lease = excluded.lease, pushed_at = excluded.pushed_at
            """,
            ("@repository", repository),
            ("@digest", digest),
            ("@media_type", manifest.MediaType.Value),
            ("@artifact_type", manifest.ArtifactType?.Value),
            ("@config_type", (manifest as ImageManifest)?.Config.MediaType.Value),
            ("@subject", manifest.Subject?.Digest.ToColumn()),
            ("@size", (long)put.Content.Length),
            ("@full", leases.Full),
            ("@annotations", manifest.Annotations),
            ("@payload", put.Content.ToArray()));
        await session.ForEachAsync(
            InsertBlob,
            manifest.Blobs,
            blob => [("@repository", repository), ("@manifest", digest), ("@blob", blob.ToColumn())],
            cancellationToken);
        await session.ForEachAsync(
            InsertChild,
            manifest.Children,
            child => [("@repository", repository), ("@manifest", digest), ("@child", child.ToColumn())],
            cancellationToken);
    }

    private async Task MoveTagAsync(
        DatabaseSession session, long repository, Tag tag, byte[] digest, Principal principal)
    {
        var before = await session.ScalarAsync(
            "SELECT digest FROM tags WHERE repository_id = @repository AND name = @tag",
            ("@repository", repository),
            ("@tag", tag.Value));
        var moved = await session.ExecuteAsync(
            """
            INSERT INTO tags (repository_id, name, digest, updated_at)
            VALUES (@repository, @tag, @digest, registry_now())
            ON CONFLICT (repository_id, name) DO UPDATE SET digest = excluded.digest, updated_at = excluded.updated_at
            WHERE tags.digest <> excluded.digest
            """,
            ("@repository", repository),
            ("@tag", tag.Value),
            ("@digest", digest));
        if (moved > 0)
        {
            // The manifest that loses the tag may have nothing else that keeps it.
            if (before is not null)
            {
                await session.ExecuteAsync(
                    """
                    UPDATE manifests SET lease = registry_now() + @full
                    WHERE repository_id = @repository AND digest = @before
                    """,
                    ("@full", leases.Full),
                    ("@repository", repository),
                    ("@before", before));
            }

            await TagIndex.RecordAsync(session, repository, tag.Value, digest, principal);
        }
    }
}
