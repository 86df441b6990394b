namespace Registry.Infrastructure.Database;

/// <summary>
/// The metadata database. Adapters hand it short pieces of work; it owns connections, transactions and their sharing.
/// A database that cannot be used throws <see cref="Domain.Errors.StorageException"/>.
/// </summary>
internal abstract class RegistryDatabase : IAsyncDisposable
{
    /// <summary>Whether other processes may use the database at the same time.</summary>
    public abstract bool IsShared { get; }

    /// <summary>Brings the schema up to date. Called once, before anything else.</summary>
    /// <exception cref="StartRefusedException">The database cannot be used, or is newer than this program.</exception>
    public abstract Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Whether the database is there with the schema of this program. Called before <see cref="OpenAsync"/>, by who
    /// wants to know whether that would change anything.
    /// </summary>
    /// <exception cref="StartRefusedException">The database cannot be used.</exception>
    public abstract Task<bool> IsCurrentAsync(CancellationToken cancellationToken);

    public abstract Task<T> ReadAsync<T>(Func<DatabaseSession, Task<T>> read, CancellationToken cancellationToken);

    /// <summary>
    /// Runs <paramref name="write"/> in a transaction, which several writers may share and which may be repeated: it
    /// must do nothing but use its session. Committed when this returns.
    /// </summary>
    /// <param name="durable">False lets a power cut (not a crash of the process) take it back.</param>
    public abstract Task<T> WriteAsync<T>(
        Func<DatabaseSession, Task<T>> write, bool durable, CancellationToken cancellationToken);

    /// <summary>Runs <paramref name="work"/> while no other node of this database runs any.</summary>
    public abstract Task AloneAsync(Func<Task> work, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
