using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Database;

/// <summary>The rows that repositories have.</summary>
internal static class Repositories
{
    public static async Task<long?> FindRepositoryAsync(this DatabaseSession session, RepositoryIdentity repository)
        => (long?)await session.ScalarAsync(
            "SELECT id FROM repositories WHERE registry = @registry AND name = @name",
            ("@registry", repository.Registry.Value),
            ("@name", repository.Name.Value));

    /// <summary>The repository's row, made when it is the first time that anything gets into it.</summary>
    /// <remarks>
    /// When another writer makes it at the same time, its row is touched to get its id; only a column that is no key,
    /// or PostgreSQL would lock out everybody who refers to it.
    /// </remarks>
    public static async Task<long> EnsureRepositoryAsync(this DatabaseSession session, RepositoryIdentity repository)
        => await session.FindRepositoryAsync(repository)
            ?? (long)(await session.ScalarAsync(
                """
                INSERT INTO repositories (registry, name, created_at) VALUES (@registry, @name, registry_now())
                ON CONFLICT (registry, name) DO UPDATE SET created_at = repositories.created_at
                RETURNING id
                """,
                ("@registry", repository.Registry.Value),
                ("@name", repository.Name.Value)))!;
}
