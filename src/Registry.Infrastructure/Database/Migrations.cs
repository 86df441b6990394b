using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dapper;

namespace Registry.Infrastructure.Database;

/// <summary>The numbered SQL files of this assembly, applied in order and recorded with their checksums.</summary>
internal static class Migrations
{
    /// <exception cref="StartRefusedException">
    /// The database was written by a newer program, or an applied file has changed.
    /// </exception>
    public static Task ApplySqliteAsync(DbConnection connection, CancellationToken cancellationToken)
        => ApplyAsync(connection, "Sqlite", "BEGIN EXCLUSIVE", timeout: null, cancellationToken);

    /// <inheritdoc cref="ApplySqliteAsync"/>
    /// <remarks>Nodes that start at once wait for the first of them, and find nothing left to do.</remarks>
    public static Task ApplyPostgreSqlAsync(DbConnection connection, CancellationToken cancellationToken)
        => ApplyAsync(
            connection, "PostgreSql", $"BEGIN; SELECT pg_advisory_xact_lock({PostgreSqlDatabase.MigrationLock})",
            timeout: 0, cancellationToken);

    /// <summary>
    /// Whether there is nothing left to apply. Takes no lock: beside a server that runs, it is so.
    /// </summary>
    public static async Task<bool> IsCurrentSqliteAsync(DbConnection connection)
        => await connection.ExecuteScalarAsync<long>(
                "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'") > 0
            && await IsCurrentAsync(connection, "Sqlite");

    /// <inheritdoc cref="IsCurrentSqliteAsync"/>
    public static async Task<bool> IsCurrentPostgreSqlAsync(DbConnection connection)
        => await connection.ExecuteScalarAsync<bool>("SELECT to_regclass('schema_migrations') IS NOT NULL")
            && await IsCurrentAsync(connection, "PostgreSql");

    // Anything that is not as it should be is told by who applies.
    private static async Task<bool> IsCurrentAsync(DbConnection connection, string kind)
    {
        var applied = await connection.QueryAsync<(long, string)>("SELECT number, checksum FROM schema_migrations");
        return applied.ToHashSet().SetEquals(Load(kind).Select(migration => (migration.Number, migration.Checksum)));
    }

    /// <param name="timeout">Of a statement in seconds; zero for none, null for the connection's own.</param>
    private static async Task ApplyAsync(
        DbConnection connection, string kind, string begin, int? timeout, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(new(begin, commandTimeout: timeout, cancellationToken: cancellationToken));
        try
        {
            await connection.ExecuteAsync(
                """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                    number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)
                """);
            var applied = (await connection.QueryAsync<(long Number, string Checksum)>(
                "SELECT number, checksum FROM schema_migrations")).ToDictionary(row => row.Number, row => row.Checksum);
            var known = Load(kind);
            if (applied.Keys.Any(number => known.All(migration => migration.Number != number)))
            {
                throw new StartRefusedException(
                    "The database was written by a newer version of the registry: start that version, "
                    + "or restore a backup made before the update.");
            }

            foreach (var migration in known)
            {
                if (applied.TryGetValue(migration.Number, out var checksum))
                {
                    if (checksum != migration.Checksum)
                        throw new StartRefusedException(
                            $"The database's schema step {migration.Name} is not the one this version knows: "
                            + "the program or the database was altered.");
                    continue;
                }

                cancellationToken.ThrowIfCancellationRequested();
                await connection.ExecuteAsync(migration.Sql, commandTimeout: timeout);
                await connection.ExecuteAsync(
                    "INSERT INTO schema_migrations (number, name, checksum, applied_at) "
                    + "VALUES (@Number, @Name, @Checksum, registry_now())",
                    new { migration.Number, migration.Name, migration.Checksum });
            }

            await connection.ExecuteAsync("COMMIT");
        }
        catch
        {
            await RollBackAsync(connection);
            throw;
        }
    }

    private static async Task RollBackAsync(DbConnection connection)
    {
        try
        {
            await connection.ExecuteAsync("ROLLBACK");
        }
        catch (Exception e) when (e is DbException or InvalidOperationException)
        {
            // It is done already (disk full, connection lost): what was said first is what counts.
        }
    }

    private static List<Migration> Load(string kind)
    {
        var assembly = typeof(Migrations).Assembly;
        var prefix = $"{typeof(Migrations).Namespace}.Migrations.{kind}.";
        var list = new List<Migration>();
        foreach (var resource in assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
            var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
            var name = resource[prefix.Length..^".sql".Length];
            list.Add(new(
                long.Parse(name.AsSpan(0, 4), CultureInfo.InvariantCulture),
                name,
                sql,
                Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql)))));
        }

        return [.. list.OrderBy(migration => migration.Number)];
    }

    private sealed record Migration(long Number, string Name, string Sql, string Checksum);
}
