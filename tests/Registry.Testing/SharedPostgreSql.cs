using Npgsql;
using Registry.Testing.Processes;

namespace Registry.Testing;

/// <summary>
/// One PostgreSQL server for all tests of this process, started by the first that needs it. A schema is as good as a
/// database of one's own, and made in a few milliseconds.
/// </summary>
public static class SharedPostgreSql
{
    // Nothing here has to survive a power cut.
    private static readonly Lazy<Task<PostgreSqlProcess>> Server = new(() => PostgreSqlProcess.StartAsync(
        "fsync=off", "full_page_writes=off", "max_connections=400", "shared_buffers=64MB", "autovacuum_naptime=10s"));

    /// <summary>The connection string of a schema, which is made when it is not there.</summary>
    public static async Task<string> UseSchemaAsync(string schema)
    {
        var server = await Server.Value;
        await ExecuteAsync($"CREATE SCHEMA IF NOT EXISTS \"{schema}\"");
        return server.ConnectionString(others: $"Search Path={schema}");
    }

    public static Task DropSchemaAsync(string schema) => ExecuteAsync($"DROP SCHEMA IF EXISTS \"{schema}\" CASCADE");

    private static async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection((await Server.Value).ConnectionString());
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests name their schemas
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
