using Dapper;
using Registry.Domain.Manifests;

namespace Registry.Infrastructure.Database;

/// <summary>
/// Takes the rows that a change will touch, before it looks at any of them, where several writers are at work at once.
/// All take them in the same order, so that they wait for one another but never in a circle: tags by name, manifests
/// by digest, blobs by digest, links by digest, outbox. What could still meet is found by the database and repeated.
/// </summary>
internal static class RowLocks
{
    /// <summary>The tags that will move, the manifests that lose them, and the one that gets them.</summary>
    public static async Task LockForPutAsync(
        this DatabaseSession session, long repository, byte[] digest, IReadOnlyList<Tag> tags)
    {
        if (!session.LocksRows)
            return;
        await session.Connection.ExecuteAsync(
            """
            SELECT FROM tags WHERE repository_id = @repository AND name = ANY(@names) ORDER BY name FOR UPDATE;
            SELECT FROM manifests WHERE repository_id = @repository AND digest = ANY(array_append(
                ARRAY(SELECT digest FROM tags WHERE repository_id = @repository AND name = ANY(@names)), @digest))
                ORDER BY digest FOR NO KEY UPDATE
            """,
            new { repository, digest, names = tags.Select(tag => tag.Value).ToArray() });
    }

    /// <summary>The tags of a manifest, itself, and everything that gets a lease when it goes.</summary>
    public static async Task LockForDeleteAsync(this DatabaseSession session, long repository, byte[] digest)
    {
        if (!session.LocksRows)
            return;
        await session.Connection.ExecuteAsync(
            """
            SELECT FROM tags WHERE repository_id = @repository AND digest = @digest ORDER BY name FOR UPDATE;
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
}
