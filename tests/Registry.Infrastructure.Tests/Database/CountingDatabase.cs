using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>Counts what the adapters ask of a database: one call is one transaction.</summary>
internal sealed class CountingDatabase(RegistryDatabase database) : RegistryDatabase
{
    private int _reads;
    private int _writes;

    public int Reads => _reads;

    public int Writes => _writes;

    public override bool IsShared => database.IsShared;

    public override Task OpenAsync(CancellationToken cancellationToken) => database.OpenAsync(cancellationToken);

    public override Task<bool> IsCurrentAsync(CancellationToken cancellationToken) => database.IsCurrentAsync(cancellationToken);

    public override Task<T> ReadAsync<T>(Func<DatabaseSession, Task<T>> read, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return database.ReadAsync(read, cancellationToken);
    }

    public override Task<T> WriteAsync<T>(Func<DatabaseSession, Task<T>> write, bool durable, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _writes);
        return database.WriteAsync(write, durable, cancellationToken);
    }

    public override Task AloneAsync(Func<Task> work, CancellationToken cancellationToken) => database.AloneAsync(work, cancellationToken);

    public override ValueTask DisposeAsync() => database.DisposeAsync();
}
