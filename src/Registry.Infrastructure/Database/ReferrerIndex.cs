using Registry.Application.Referrers;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="IReferrerIndex"/>
internal sealed class ReferrerIndex(RegistryDatabase database) : IReferrerIndex
{
    // Annotations may be nearly as long as a manifest: a page ends before clients' usual limit for a manifest does.
    private const int MaxAnnotationCharacters = 2 * 1024 * 1024;

    public Task<Page<Referrer>> ListAsync(
        RepositoryIdentity repository, Digest subject, string? artifactType, PageRequest page,
        CancellationToken cancellationToken)
        => database.ReadAsync(
            async session =>
            {
                // No type has a NUL in it, and PostgreSQL takes none in a value.
                if (artifactType?.Contains('\0', StringComparison.Ordinal) == true)
                    return Page<Referrer>.Of([], page.Size);
                var after = Digest.TryParse(page.After, out var last) ? last.ToColumn() : [];
                var command = session.Prepared(
                    """
                    SELECT m.media_type, m.digest, m.size, m.artifact_type, m.annotations
                    FROM manifests m
                    WHERE m.repository_id = (SELECT id FROM repositories WHERE registry = @registry AND name = @name)
                        AND m.subject = @subject AND m.digest > @after AND (@type = '' OR m.artifact_type = @type)
                    ORDER BY m.digest LIMIT @limit
                    """,
                    ("@registry", repository.Registry.Value),
                    ("@name", repository.Name.Value),
                    ("@subject", subject.ToColumn()),
                    ("@after", after),
                    ("@type", artifactType ?? ""),
                    ("@limit", page.Size + 1L));
                await using var row = await command.ExecuteReaderAsync(cancellationToken);
                var (list, characters) = (new List<Referrer>(), 0);
                while (await row.ReadAsync(cancellationToken))
                {
                    var annotations = row.IsDBNull(4) ? null : row.GetString(4);
                    characters += annotations?.Length ?? 0;
                    if (characters > MaxAnnotationCharacters && list.Count > 0 && list.Count < page.Size)
                        return new Page<Referrer>(list, More: true);
                    list.Add(new(
                        row.GetString(0),
                        row.GetFieldValue<byte[]>(1).ToDigest(),
                        row.GetInt64(2),
                        row.IsDBNull(3) ? null : row.GetString(3),
                        annotations));
                }

                return Page<Referrer>.Of(list, page.Size);
            },
            cancellationToken);
}
