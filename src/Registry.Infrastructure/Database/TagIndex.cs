using Dapper;
using Registry.Application.Tags;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="ITagIndex"/>
internal sealed class TagIndex(RegistryDatabase database, Leases leases, ManifestOutbox outbox) : ITagIndex
{
    public Task<Page<string>?> ListAsync(
        RepositoryIdentity repository, PageRequest page, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session =>
            {
                var command = session.Prepared(
                    """
                    SELECT name FROM tags
                    WHERE repository_id = (SELECT id FROM repositories WHERE registry = @registry AND name = @name)
                        AND name > @after
                    ORDER BY name LIMIT @limit
                    """,
                    ("@registry", repository.Registry.Value),
                    ("@name", repository.Name.Value),
                    ("@after", page.After ?? ""),
                    ("@limit", page.Size + 1L));
                var tags = new List<string>();
                await using (var row = await command.ExecuteReaderAsync(cancellationToken))
                {
                    while (await row.ReadAsync(cancellationToken))
                        tags.Add(row.GetString(0));
                }

                return tags.Count > 0 || await session.FindRepositoryAsync(repository) is not null
                    ? Page<string>.Of(tags, page.Size)
                    : null;
            },
            cancellationToken);

    public Task<Page<TaggedManifest>?> ListDetailsAsync(
        RepositoryIdentity repository, PageRequest page, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session =>
            {
                if (await session.FindRepositoryAsync(repository) is not { } id)
                    return null;
                // Subqueries, not a join: a plan made once for pages of every size would read and sort all tags for it.
                const string OfManifest = "FROM manifests m WHERE m.repository_id = @id AND m.digest = t.digest";
                var rows = await session.Connection.QueryAsync<Row>(
                    $"""
                    SELECT t.name, t.digest, (SELECT m.media_type {OfManifest}) AS MediaType,
                        (SELECT m.artifact_type {OfManifest}) AS ArtifactType, (SELECT m.size {OfManifest}) AS Size,
                        t.updated_at AS UpdatedAt
                    FROM tags t WHERE t.repository_id = @id AND t.name > @after ORDER BY t.name LIMIT @limit
                    """,
                    new { id, after = page.After ?? "", limit = page.Size + 1 });
                return Page<TaggedManifest>.Of([.. rows.Select(row => row.ToTag())], page.Size);
            },
            cancellationToken);

    public async Task<bool> DeleteAsync(
        RepositoryIdentity repository, Tag tag, Principal principal, CancellationToken cancellationToken)
    {
        var deleted = await database.WriteAsync(
            session => DeleteAsync(session, repository, tag, principal), durable: true, cancellationToken);
        outbox.Announce();
        return deleted;
    }

    /// <summary>Writes a move (or, without a digest, the deletion) of a tag into its history.</summary>
    public static Task RecordAsync(
        DatabaseSession session, long repository, string tag, byte[]? digest, Principal principal)
        => session.ExecuteAsync(
            """
            INSERT INTO tag_history (repository_id, tag, digest, principal, changed_at)
            VALUES (@repository, @tag, @digest, @principal, registry_now())
            """,
            ("@repository", repository),
            ("@tag", tag),
            ("@digest", digest),
            ("@principal", principal.Name));

    private async Task<bool> DeleteAsync(
        DatabaseSession session, RepositoryIdentity repository, Tag tag, Principal principal)
    {
        var connection = session.Connection;
        if (await session.FindRepositoryAsync(repository) is not { } id)
            return false;
        await session.LockForDeleteAsync(id, tag);
        var digest = await connection.ExecuteScalarAsync<byte[]?>(
            "DELETE FROM tags WHERE repository_id = @id AND name = @Value RETURNING digest", new { id, tag.Value });
        if (digest is null)
            return false;

        await connection.ExecuteAsync(
            "UPDATE manifests SET lease = registry_now() + @Full WHERE repository_id = @id AND digest = @digest",
            new { id, digest, leases.Full });
        await RecordAsync(session, id, tag.Value, digest: null, principal);
        await ManifestOutbox.AddTagAsync(session, id, tag.Value);
        return true;
    }

    private sealed record Row(
        string Name, byte[] Digest, string MediaType, string? ArtifactType, long Size, long UpdatedAt)
    {
        public TaggedManifest ToTag() => new(
            Name, Digest.ToDigest().ToString(), MediaType, ArtifactType, Size,
            DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt));
    }
}
