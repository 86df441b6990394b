using System.Data.Common;
using Dapper;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Database;

/// <summary>The rows that repositories have.</summary>
internal static class Repositories
{
    public static Task<long?> FindRepositoryAsync(this DbConnection connection, RepositoryIdentity repository)
        => connection.ExecuteScalarAsync<long?>(
            "SELECT id FROM repositories WHERE registry = @Registry AND name = @Name",
            new { Registry = repository.Registry.Value, Name = repository.Name.Value });

    /// <summary>The repository's row, made when it is the first time that anything gets into it.</summary>
    /// <remarks>
    /// When another writer makes it at the same time, its row is touched to get its id; only a column that is no key,
    /// or PostgreSQL would lock out everybody who refers to it.
    /// </remarks>
    public static async Task<long> EnsureRepositoryAsync(this DbConnection connection, RepositoryIdentity repository)
        => await connection.FindRepositoryAsync(repository)
            ?? await connection.ExecuteScalarAsync<long>(
                """
                INSERT INTO repositories (registry, name, created_at) VALUES (@Registry, @Name, registry_now())
                ON CONFLICT (registry, name) DO UPDATE SET created_at = repositories.created_at
                RETURNING id
                """,
                new { Registry = repository.Registry.Value, Name = repository.Name.Value });
}
