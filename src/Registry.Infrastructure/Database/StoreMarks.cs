using Dapper;

namespace Registry.Infrastructure.Database;

/// <summary>Which mark each store carried when this database first used it.</summary>
internal sealed class StoreMarks(RegistryDatabase database)
{
    public Task<string?> FindAsync(string store, CancellationToken cancellationToken)
        => database.ReadAsync(
            session => session.Connection.ExecuteScalarAsync<string?>(
                "SELECT mark FROM stores WHERE name = @store", new { store }),
            cancellationToken);

    public Task RecordAsync(string store, string mark, CancellationToken cancellationToken)
        => database.WriteAsync(
            session => session.Connection.ExecuteAsync(
                "INSERT INTO stores (name, mark) VALUES (@store, @mark) ON CONFLICT (name) DO NOTHING",
                new { store, mark }),
            durable: true,
            cancellationToken);
}
