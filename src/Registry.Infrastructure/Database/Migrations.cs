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
    public static async Task ApplySqliteAsync(
        DbConnection connection, TimeProvider time, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync("BEGIN EXCLUSIVE");
        try
        {
            await connection.ExecuteAsync(
                """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)
                """);
            var applied = (await connection.QueryAsync<(long Number, string Checksum)>(
                "SELECT number, checksum FROM schema_migrations")).ToDictionary(row => row.Number, row => row.Checksum);
            var known = Load("Sqlite");
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
                await connection.ExecuteAsync(migration.Sql);
                await connection.ExecuteAsync(
                    "INSERT INTO schema_migrations (number, name, checksum, applied_at) "
                    + "VALUES (@Number, @Name, @Checksum, @Now)",
                    new
                    {
                        migration.Number,
                        migration.Name,
                        migration.Checksum,
                        Now = time.GetUtcNow().ToUnixTimeMilliseconds(),
                    });
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
        catch (DbException)
        {
            // SQLite has done it already (disk full, I/O error): what it said first is what counts.
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
