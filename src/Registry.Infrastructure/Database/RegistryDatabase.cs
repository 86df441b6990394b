using System.Data.Common;

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

    public abstract Task<T> ReadAsync<T>(Func<DatabaseSession, Task<T>> read, CancellationToken cancellationToken);

    /// <summary>
    /// Runs <paramref name="write"/> in a transaction, which several writers may share and which may be repeated: it
    /// must do nothing but use its session. Committed when this returns.
    /// </summary>
    /// <param name="durable">False lets a power cut (not a crash of the process) take it back.</param>
    public abstract Task<T> WriteAsync<T>(
        Func<DatabaseSession, Task<T>> write, bool durable, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>A connection for the length of one piece of work, with its prepared commands.</summary>
internal sealed class DatabaseSession(DbConnection connection) : IAsyncDisposable
{
    private readonly Dictionary<string, DbCommand> _prepared = new(StringComparer.Ordinal);

    public DbConnection Connection { get; } = connection;

    /// <summary>
    /// A command that is kept with the connection, for the hottest statements: parsing the SQL costs more than running
    /// it. The values are those of <paramref name="parameters"/>, in any order.
    /// </summary>
    public DbCommand Prepared(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = Connection.CreateCommand();
#pragma warning disable CA2100 // the texts are constants of the adapters
            command.CommandText = sql;
#pragma warning restore CA2100
            foreach (var (name, _) in parameters)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = name;
                command.Parameters.Add(parameter);
            }

            _prepared.Add(sql, command);
        }

        foreach (var (name, value) in parameters)
            command.Parameters[name].Value = value;
        return command;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _prepared.Values)
            await command.DisposeAsync();
        await Connection.DisposeAsync();
    }
}
