using Dapper;
using Registry.Domain.Manifests;

namespace Registry.Infrastructure.Database;

/// <summary>
/// Takes what a change will touch, before it looks at any of it, where several writers are at work at once. All take it
/// in the same order, so that they wait for one another but never in a circle: tags, manifests by digest, blobs by
/// digest, links by digest, outbox. What could still meet is found by the database and repeated.
/// </summary>
/// <remarks>
/// A tag is locked by its name, as an advisory lock: it may not be there yet, or not any more, and two first pushes of
/// one tag must not find out only at its row, with their manifests in hand. The locks are those of a schema: pushes to
/// registries that have one database, and schemas of their own in it, do not wait for one another.
/// </remarks>
internal static class RowLocks
{
    private const string LockTags =
        """
        SELECT pg_advisory_xact_lock(@repository::INT # hashtext(current_schema()), lock) FROM (
            SELECT DISTINCT hashtext(name) AS lock FROM unnest(@names) AS name ORDER BY lock) locks;
        """;

    private const string LockTagsOfManifest =
        """
        SELECT pg_advisory_xact_lock(@repository::INT # hashtext(current_schema()), lock) FROM (
            SELECT DISTINCT hashtext(name) AS lock FROM tags WHERE repository_id = @repository AND digest = @digest
            ORDER BY lock) locks;
        """;

    /// <summary>The tags that will move, the manifests that lose them, and the one that gets them.</summary>
    public static async Task LockForPutAsync(
        this DatabaseSession session, long repository, byte[] digest, IReadOnlyList<Tag> tags)
    {
        if (!session.LocksRows)
            return;
        await session.Connection.ExecuteAsync(
            $"""
            {LockTags}
            SELECT FROM manifests WHERE repository_id = @repository AND digest = ANY(array_append(
                ARRAY(SELECT digest FROM tags WHERE repository_id = @repository AND name = ANY(@names)), @digest))
                ORDER BY digest FOR NO KEY UPDATE
            """,
            new { repository, digest, names = tags.Select(tag => tag.Value).ToArray() });
    }

    /// <summary>A tag that will go, and the manifest that loses it.</summary>
    public static async Task LockForDeleteAsync(this DatabaseSession session, long repository, Tag tag)
    {
        if (!session.LocksRows)
            return;
        await session.Connection.ExecuteAsync(
            $"""
            {LockTags}
            SELECT FROM manifests WHERE repository_id = @repository AND digest = (
                SELECT digest FROM tags WHERE repository_id = @repository AND name = @Value) FOR NO KEY UPDATE
            """,
            new { repository, tag.Value, names = new[] { tag.Value } });
    }

    /// <summary>The tags of a manifest, itself, and everything that gets a lease when it goes.</summary>
    public static async Task LockForDeleteAsync(this DatabaseSession session, long repository, byte[] digest)
    {
        if (!session.LocksRows)
            return;
        await session.Connection.ExecuteAsync(
            $"""
            {LockTagsOfManifest}
            SELECT FROM manifests WHERE repository_id = @repository AND digest = ANY(ARRAY(
                SELECT @digest
                UNION ALL SELECT child FROM manifest_children WHERE repository_id = @repository AND manifest = @digest
                UNION ALL SELECT digest FROM manifests WHERE repository_id = @repository AND subject = @digest))
                ORDER BY digest FOR UPDATE;
            SELECT FROM repository_blobs WHERE repository_id = @repository AND digest = ANY(ARRAY(
                SELECT blob FROM manifest_blobs WHERE repository_id = @repository AND manifest = @digest))
                ORDER BY digest FOR NO KEY UPDATE
            """,
            new { repository, digest });
    }

    /// <summary>
    /// The tags of a manifest and itself. What comes with it is locked as it is found: blobs, which may be left by all,
    /// and then their links.
    /// </summary>
    public static async Task LockForEvictionAsync(this DatabaseSession session, long repository, byte[] digest)
    {
        if (!session.LocksRows)
            return;
        await session.Connection.ExecuteAsync(
            $"""
            {LockTagsOfManifest}
            SELECT FROM manifests WHERE repository_id = @repository AND digest = @digest FOR UPDATE
            """,
            new { repository, digest });
    }
}
