namespace Registry.Infrastructure.Database;

public enum DatabaseKind
{
    /// <summary>Embedded, one node.</summary>
    Sqlite,
}

/// <summary><c>Registry:Database</c></summary>
public sealed class DatabaseOptions
{
    public DatabaseKind Kind { get; set; } = DatabaseKind.Sqlite;

    /// <summary>Default for SQLite: <c>Data Source=&lt;Data&gt;/registry.db</c>.</summary>
    public string? ConnectionString { get; set; }
}
