using System.Collections.Concurrent;
using System.Data.Common;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>Counts what the adapters ask of a database: one call is one transaction.</summary>
internal sealed class CountingDatabase(RegistryDatabase database) : RegistryDatabase
{
    private const string Deadlock = "40P01"; // of PostgreSQL; SQLite knows none

    private int _reads;
    private int _writes;
    private readonly ConcurrentQueue<string> _deadlocks = new();

    public int Reads => _reads;

    public int Writes => _writes;

    /// <summary>Where writers waited for one another in a circle, and the database took one of them back.</summary>
    public IReadOnlyCollection<string> Deadlocks => _deadlocks;

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
        return database.WriteAsync(
            async session =>
            {
                try
                {
                    return await write(session);
                }
                catch (DbException e) when (e.SqlState == Deadlock)
                {
                    _deadlocks.Enqueue($"{e}");
                    throw;
                }
            },
            durable,
            cancellationToken);
    }

    public override Task AloneAsync(Func<Task> work, CancellationToken cancellationToken) => database.AloneAsync(work, cancellationToken);

    public override ValueTask DisposeAsync() => database.DisposeAsync();
}
