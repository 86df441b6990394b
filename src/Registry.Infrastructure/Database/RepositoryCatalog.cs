using Registry.Application.Catalog;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="ICatalog"/>
internal sealed class RepositoryCatalog(RegistryDatabase database) : ICatalog
{
    public Task<IReadOnlyList<string>> ListAsync(
        RegistryName registry, string? after, string prefix, int limit, CancellationToken cancellationToken)
        => database.ReadAsync<IReadOnlyList<string>>(
            async session =>
            {
                // Every character of a name sorts before DEL: prefix and prefix + DEL enclose the names that begin with
                // it. A scalar subquery, unlike EXISTS, is never turned into a join that reads all manifests first.
                var command = session.Prepared(
                    """
                    SELECT r.name FROM repositories r
                    WHERE r.registry = @registry AND r.name > @after AND r.name >= @prefix AND r.name < @behind
                        AND (SELECT 1 FROM manifests m WHERE m.repository_id = r.id LIMIT 1) IS NOT NULL
                    ORDER BY r.name LIMIT @limit
                    """,
                    ("@registry", registry.Value),
                    ("@after", after ?? ""),
                    ("@prefix", prefix),
                    ("@behind", prefix + '\u007f'),
                    ("@limit", limit));
                await using var row = await command.ExecuteReaderAsync(cancellationToken);
                var names = new List<string>();
                while (await row.ReadAsync(cancellationToken))
                    names.Add(row.GetString(0));
                return names;
            },
            cancellationToken);

    public Task<bool> ExistsAsync(RepositoryIdentity repository, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session => await session.FindRepositoryAsync(repository) is not null, cancellationToken);

    public Task<bool> IsTakenAsync(RepositoryIdentity repository, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session => await session.ScalarAsync(
                """
                SELECT 1 FROM manifests
                WHERE repository_id = (SELECT id FROM repositories WHERE registry = @registry AND name = @name)
                    AND subject IS NULL
                LIMIT 1
                """,
                ("@registry", repository.Registry.Value),
                ("@name", repository.Name.Value)) is not null,
            cancellationToken);
}
