using System.Data.Common;
using Registry.Application.Proxies;
using Registry.Application.Stores;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="ICachedContent"/>
internal sealed class CachedContent(RegistryDatabase database, Leases leases, IBlobStores stores) : ICachedContent
{
    private const string Measure =
        """
        SELECT CAST(COALESCE((
            SELECT SUM(b.size) FROM (
                SELECT DISTINCT l.store, l.digest
                FROM repositories r JOIN repository_blobs l ON l.repository_id = r.id WHERE r.registry = @registry) d
            JOIN blobs b ON b.store = d.store AND b.digest = d.digest WHERE b.state = 'present'), 0)
        + COALESCE((
            SELECT SUM(m.size) FROM repositories r JOIN manifests m ON m.repository_id = r.id
            WHERE r.registry = @registry), 0) AS BIGINT)
        """;

    private const string ListOldest =
        """
        SELECT i.name, i.digest, i.manifest, i.used_at, t.name FROM (
            SELECT u.* FROM (
                SELECT r.id, r.name, m.digest, 1 AS manifest, COALESCE(m.last_pulled_at, m.pushed_at) AS used_at
                FROM repositories r JOIN manifests m ON m.repository_id = r.id
                WHERE r.registry = @registry AND NOT EXISTS (
                    SELECT 1 FROM manifest_children c WHERE c.repository_id = m.repository_id AND c.child = m.digest)
                UNION ALL
                SELECT r.id, r.name, l.digest, 0 AS manifest, l.lease - @full AS used_at
                FROM repositories r JOIN repository_blobs l ON l.repository_id = r.id
                WHERE r.registry = @registry AND NOT EXISTS (
                    SELECT 1 FROM manifest_blobs m WHERE m.repository_id = l.repository_id AND m.blob = l.digest)) u
            WHERE (u.used_at, u.name, u.digest, u.manifest) > (@used_at, @name, @digest, @manifest)
            ORDER BY u.used_at, u.name, u.digest, u.manifest LIMIT @limit) i
        LEFT JOIN tags t ON i.manifest = 1 AND t.repository_id = i.id AND t.digest = i.digest
        ORDER BY i.used_at, i.name, i.digest, i.manifest, t.name
        """;

    private const string FindManifest =
        """
        SELECT m.size FROM manifests m
        WHERE m.repository_id = @repository AND m.digest = @digest
            AND COALESCE(m.last_pulled_at, m.pushed_at) = @used_at AND NOT EXISTS (
                SELECT 1 FROM manifest_children c WHERE c.repository_id = m.repository_id AND c.child = m.digest)
        """;

    private const string ListTags
        = "SELECT name FROM tags WHERE repository_id = @repository AND digest = @digest ORDER BY name";

    // Those that no other index refers to.
    private const string ListChildren =
        """
        SELECT r.name, m.digest, 1, COALESCE(m.last_pulled_at, m.pushed_at), t.name
        FROM manifest_children c
        JOIN repositories r ON r.id = c.repository_id
        JOIN manifests m ON m.repository_id = c.repository_id AND m.digest = c.child
        LEFT JOIN tags t ON t.repository_id = m.repository_id AND t.digest = m.digest
        WHERE c.repository_id = @repository AND c.manifest = @digest AND NOT EXISTS (
            SELECT 1 FROM manifest_children o
            WHERE o.repository_id = c.repository_id AND o.child = c.child AND o.manifest <> c.manifest)
        ORDER BY m.digest, t.name
        """;

    private const string Blobs =
        """
        SELECT b.store, b.digest, b.location, b.size, b.generation, CASE WHEN b.state = 'present' THEN 1 ELSE 0 END
        FROM repository_blobs l JOIN blobs b ON b.store = l.store AND b.digest = l.digest
        WHERE l.repository_id = @repository
        """;

    private const string ListBlobsOfManifest =
        $"""
        {Blobs} AND l.digest IN (
            SELECT m.blob FROM manifest_blobs m WHERE m.repository_id = @repository AND m.manifest = @digest)
        AND NOT EXISTS (
            SELECT 1 FROM manifest_blobs o
            WHERE o.repository_id = @repository AND o.blob = l.digest AND o.manifest <> @digest)
        ORDER BY b.digest, b.store
        """;

    private const string ListBlob = $"{Blobs} AND l.digest = @digest";

    private const string FindLoose =
        """
        SELECT 1 FROM repository_blobs WHERE repository_id = @repository AND digest = @digest
            AND lease - @full = @used_at
        """;

    private static readonly string[] DeleteManifest =
    [
        """
        DELETE FROM tag_history WHERE repository_id = @repository AND tag IN (
            SELECT name FROM tags WHERE repository_id = @repository AND digest = @digest)
        """,
        "DELETE FROM tags WHERE repository_id = @repository AND digest = @digest",
        "DELETE FROM manifest_blobs WHERE repository_id = @repository AND manifest = @digest",
        "DELETE FROM manifest_children WHERE repository_id = @repository AND manifest = @digest",
        "DELETE FROM proxied_referrers WHERE repository_id = @repository AND subject = @digest",
        "DELETE FROM manifests WHERE repository_id = @repository AND digest = @digest",
    ];

    private const string DeleteLink =
        """
        DELETE FROM repository_blobs WHERE repository_id = @repository AND digest = @digest AND NOT EXISTS (
            SELECT 1 FROM manifest_blobs m WHERE m.repository_id = @repository AND m.blob = @digest)
        RETURNING 1
        """;

    private const string FindLink = "SELECT 1 FROM repository_blobs WHERE digest = @digest AND store = @store LIMIT 1";

    private const string FindLinkOfRegistry =
        """
        SELECT 1 FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id
        WHERE l.digest = @digest AND l.store = @store AND r.registry = @registry LIMIT 1
        """;

    private const string DeleteBlob = "DELETE FROM blobs WHERE store = @store AND digest = @digest RETURNING 1";

    private const string At = "FROM blobs b WHERE b.store = @store AND b.digest = @digest AND b.location = @location";

    private const string FindLocation = $"SELECT 1 {At}";

    private const string Linked
        = "EXISTS (SELECT 1 FROM repository_blobs l WHERE l.digest = @digest AND l.store = @store)";

    private const string FindUsed = $"SELECT 1 {At} AND {Linked}";

    private const string DeleteUnused
        = $"""
        DELETE FROM blobs WHERE store = @store AND digest = @digest AND location = @location AND NOT {Linked}
        RETURNING 1
        """;

    private const string ForgetReferrers =
        """
        DELETE FROM proxied_referrers WHERE checked_at < registry_now() - @age AND NOT EXISTS (
            SELECT 1 FROM manifests m
            WHERE m.repository_id = proxied_referrers.repository_id AND m.digest = proxied_referrers.subject)
        """;

    // To measure a cache of millions of blobs takes longer than what a client waits for.
    private const int MeasureSeconds = 600;

    private const string MarkPulled =
        """
        UPDATE manifests SET last_pulled_at = registry_now() - @age
        WHERE digest = @digest
            AND repository_id = (SELECT id FROM repositories WHERE registry = @registry AND name = @name)
            AND COALESCE(last_pulled_at, 0) < registry_now() - @age
        RETURNING 1
        """;

    public Task<long> MeasureAsync(RegistryName registry, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session =>
            {
                var command = session.Prepared(Measure, ("@registry", registry.Value));
                command.CommandTimeout = MeasureSeconds;
                return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
            },
            cancellationToken);

    public Task<IReadOnlyList<CachedItem>> ListOldestAsync(
        RegistryName registry, CachedItem? after, int limit, CancellationToken cancellationToken)
        => database.ReadAsync(
            session => ReadItemsAsync(
                session.Prepared(
                    ListOldest,
                    ("@registry", registry.Value),
                    ("@full", leases.Full),
                    ("@used_at", after?.UsedAt ?? long.MinValue),
                    ("@name", after?.Repository.Name.Value ?? ""),
                    ("@digest", after?.Digest.ToColumn() ?? []),
                    ("@manifest", after is { IsManifest: true } ? 1 : 0),
                    ("@limit", limit)),
                registry,
                cancellationToken),
            cancellationToken);

    public Task<EvictedItem?> EvictAsync(
        CachedItem item, Func<IReadOnlyList<string>, bool> isPinned, CancellationToken cancellationToken)
        => database.WriteAsync(
            async session => await session.FindRepositoryAsync(item.Repository) is not { } repository ? null
                : item.IsManifest ? await EvictManifestAsync(session, repository, item, isPinned, cancellationToken)
                : await EvictBlobAsync(session, repository, item, isPinned, cancellationToken),
            durable: true,
            cancellationToken);

    public async Task<IReadOnlyList<CachedLocation>> ReleaseUnusedAsync(
        string store, IReadOnlyList<CachedLocation> locations, CancellationToken cancellationToken)
    {
        var used = await database.ReadAsync(
            session => session.ForEachAsync(FindUsed, locations, Key, cancellationToken), cancellationToken);
        var unused = locations.Where((_, index) => !used[index])
            .OrderBy(place => place.Digest.ToString(), StringComparer.Ordinal).ToList(); // as rows are locked
        if (unused.Count == 0)
            return [];
        var left = await database.WriteAsync(
            async session =>
            {
                await session.ForEachAsync(FindLocation + session.ForUpdate("b"), unused, Key, cancellationToken);
                await session.ForEachAsync(DeleteUnused, unused, Key, cancellationToken);
                return await session.ForEachAsync(FindLocation, unused, Key, cancellationToken);
            },
            durable: true,
            cancellationToken);
        return [.. unused.Where((_, index) => !left[index])];

        (string, object?)[] Key(CachedLocation place)
            => [("@store", store), ("@digest", place.Digest.ToColumn()), ("@location", place.Location)];
    }

    public Task ForgetReferrersAsync(TimeSpan age, CancellationToken cancellationToken)
        => database.WriteAsync(
            session => session.ExecuteAsync(ForgetReferrers, ("@age", (long)age.TotalMilliseconds)),
            durable: false,
            cancellationToken);

    public Task MarkPulledAsync(IReadOnlyCollection<PulledManifest> pulls, CancellationToken cancellationToken)
    {
        // In one order on every node, so that two that write the same manifests wait for one another in no circle.
        var ordered = pulls.OrderBy(pull => pull.Repository.Registry.Value, StringComparer.Ordinal)
            .ThenBy(pull => pull.Repository.Name.Value, StringComparer.Ordinal)
            .ThenBy(pull => pull.Digest.ToString(), StringComparer.Ordinal).ToList();
        return database.WriteAsync(
            session => session.ForEachAsync(
                MarkPulled,
                ordered,
                pull =>
                [
                    ("@age", (long)pull.Age.TotalMilliseconds),
                    ("@digest", pull.Digest.ToColumn()),
                    ("@registry", pull.Repository.Registry.Value),
                    ("@name", pull.Repository.Name.Value),
                ],
                CancellationToken.None),
            durable: false,
            cancellationToken);
    }

    private async Task<EvictedItem?> EvictManifestAsync(
        DatabaseSession session, long repository, CachedItem item, Func<IReadOnlyList<string>, bool> isPinned,
        CancellationToken cancellationToken)
    {
        var digest = item.Digest.ToColumn();
        await session.LockForEvictionAsync(repository, digest);
        if (await session.ScalarAsync(
            FindManifest, ("@repository", repository), ("@digest", digest), ("@used_at", item.UsedAt)) is not { } size)
            return null;
        if (isPinned(await ReadTagsAsync(session, repository, digest, cancellationToken)))
            return null;

        var registry = item.Repository.Registry;
        var released = await ReadItemsAsync(
            session.Prepared(ListChildren, ("@repository", repository), ("@digest", digest)),
            registry, cancellationToken);
        var blobs = await ReadBlobsAsync(session, ListBlobsOfManifest, repository, digest, cancellationToken);
        foreach (var delete in DeleteManifest)
            await session.ExecuteAsync(delete, ("@repository", repository), ("@digest", digest));
        var (_, bytes, removable) = await DropAsync(session, repository, registry, blobs, cancellationToken);
        return new((long)size + bytes, 1, removable, released);
    }

    private async Task<EvictedItem?> EvictBlobAsync(
        DatabaseSession session, long repository, CachedItem item, Func<IReadOnlyList<string>, bool> isPinned,
        CancellationToken cancellationToken)
    {
        var digest = item.Digest.ToColumn();
        var blobs = await ReadBlobsAsync(session, ListBlob, repository, digest, cancellationToken);
        if (isPinned([]) || await session.ScalarAsync(
            FindLoose,
            ("@repository", repository),
            ("@digest", digest),
            ("@full", leases.Full),
            ("@used_at", item.UsedAt)) is null)
            return null;
        var (links, bytes, removable)
            = await DropAsync(session, repository, item.Repository.Registry, blobs, cancellationToken);
        return links > 0 ? new(bytes, 0, removable, []) : null;
    }

    // The rows are locked: nobody links a blob without touching its row.
    private async Task<(int Links, long Bytes, IReadOnlyList<StoredBlob> Removable)> DropAsync(
        DatabaseSession session, long repository, RegistryName registry, IReadOnlyList<Row> blobs,
        CancellationToken cancellationToken)
    {
        var dropped = await session.ForEachAsync(
            DeleteLink, blobs, row => [("@repository", repository), ("@digest", row.Digest)], cancellationToken);
        var left = blobs.Where((_, index) => dropped[index]).ToList();
        var held = await session.ForEachAsync(
            FindLinkOfRegistry, left, row => [.. row.Key, ("@registry", registry.Value)], cancellationToken);
        var linked = await session.ForEachAsync(FindLink, left, row => row.Key, cancellationToken);
        var removable = left.Where((row, index) => !linked[index]
            && stores.Find(row.Blob.Store)?.IsCached(row.Blob.Digest, row.Blob.Location) is true).ToList();
        await session.ForEachAsync(DeleteBlob, removable, row => row.Key, cancellationToken);
        return (
            left.Count,
            left.Where((row, index) => row.IsPresent && !held[index]).Sum(row => row.Blob.Size),
            [.. removable.Select(row => row.Blob)]);
    }

    private static async Task<IReadOnlyList<Row>> ReadBlobsAsync(
        DatabaseSession session, string sql, long repository, byte[] digest, CancellationToken cancellationToken)
    {
        var command = session.Prepared(
            sql + session.ForUpdate("b"), ("@repository", repository), ("@digest", digest));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var blobs = new List<Row>();
        while (await row.ReadAsync(cancellationToken))
        {
            var column = row.GetFieldValue<byte[]>(1);
            blobs.Add(new(
                new(row.GetString(0), column.ToDigest(), row.GetString(2), row.GetInt64(3), row.GetInt64(4)),
                column,
                row.GetInt64(5) != 0));
        }

        return blobs;
    }

    private static async Task<IReadOnlyList<string>> ReadTagsAsync(
        DatabaseSession session, long repository, byte[] digest, CancellationToken cancellationToken)
    {
        var command = session.Prepared(ListTags, ("@repository", repository), ("@digest", digest));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var tags = new List<string>();
        while (await row.ReadAsync(cancellationToken))
            tags.Add(row.GetString(0));
        return tags;
    }

    // A row for each tag, those of one item one behind the other.
    private static async Task<IReadOnlyList<CachedItem>> ReadItemsAsync(
        DbCommand command, RegistryName registry, CancellationToken cancellationToken)
    {
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<CachedItem>();
        var tags = new List<string>();
        while (await row.ReadAsync(cancellationToken))
        {
            var item = new CachedItem(
                new(registry, RepositoryName.Parse(row.GetString(0))), row.GetFieldValue<byte[]>(1).ToDigest(),
                row.GetInt64(2) != 0, row.GetInt64(3), tags);
            if (items is not [.., var last] || last != item)
            {
                item = item with { Tags = tags = [] };
                items.Add(item);
            }

            if (!row.IsDBNull(4))
                tags.Add(row.GetString(4));
        }

        return items;
    }

    private sealed record Row(StoredBlob Blob, byte[] Digest, bool IsPresent)
    {
        public (string Name, object? Value)[] Key => [("@store", Blob.Store), ("@digest", Digest)];
    }
}
