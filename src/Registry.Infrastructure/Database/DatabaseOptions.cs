namespace Registry.Infrastructure.Database;

public enum DatabaseKind
{
    /// <summary>Embedded, one node.</summary>
    Sqlite,

    /// <summary>A PostgreSQL server, any number of nodes.</summary>
    PostgreSql,
}

/// <summary><c>Registry:Database</c></summary>
public sealed class DatabaseOptions
{
    public DatabaseKind Kind { get; set; } = DatabaseKind.Sqlite;

    /// <summary>Default for SQLite: <c>Data Source=&lt;Data&gt;/registry.db</c>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>A file that holds the connection string, to keep a password out of the configuration.</summary>
    public string? ConnectionStringFile { get; set; }

    /// <summary>PostgreSQL: how many connections this node opens at most. Default 20.</summary>
    public int MaxConnections { get; set; } = 20;

    /// <summary>
    /// PostgreSQL: how long a request waits for one of them before it is answered 503. Default five seconds.
    /// </summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(5);
}
