using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>SQLite on a temporary file.</summary>
public sealed class SqliteTestDatabase : TestDatabase
{
    private readonly TemporaryFolder _folder = new();

    public string File => _folder.Combine("registry.db");

    public string Folder => _folder.Path;

    internal override RegistryDatabase Connect(TimeProvider time) => new SqliteDatabase($"Data Source={File}", time);

    protected override void Dispose(bool disposing) => _folder.Dispose();
}
