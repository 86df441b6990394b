using System.Data.Common;

namespace Registry.Infrastructure.Database;

/// <summary>
/// A connection for the length of one piece of work, with its prepared commands, and the few words that databases do
/// not have in common.
/// </summary>
internal class DatabaseSession(DbConnection connection) : IAsyncDisposable
{
    private readonly Dictionary<string, (DbCommand Command, string[] Names)> _prepared = new(StringComparer.Ordinal);

    public DbConnection Connection { get; } = connection;

    /// <summary>False where one writer at a time makes every lock of rows superfluous.</summary>
    public virtual bool LocksRows => false;

    /// <summary>Ends a SELECT: rows of <paramref name="table"/> stay as they are until this transaction ends.</summary>
    public virtual string ForShare(string table) => "";

    /// <summary>Ends a SELECT: rows of <paramref name="table"/> stay there, though they may change.</summary>
    public virtual string ForKeyShare(string table) => "";

    /// <summary>
    /// Ends a SELECT: rows of <paramref name="table"/> are nobody else's until this transaction ends.
    /// </summary>
    public virtual string ForUpdate(string table) => "";

    /// <summary>Ends a SELECT: rows are locked, and those that somebody else has locked are left out.</summary>
    public virtual string SkipLocked => "";

    /// <summary>
    /// A command that is kept with the connection, for the hottest statements: parsing the SQL costs more than running
    /// it. The values are those of <paramref name="parameters"/>, in any order.
    /// </summary>
    public DbCommand Prepared(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        if (!_prepared.TryGetValue(sql, out var prepared))
        {
            var names = new string[parameters.Length];
            for (var i = 0; i < names.Length; i++)
                names[i] = parameters[i].Name;
            prepared = (CreateCommand(sql, names), names);
            _prepared.Add(sql, prepared);
        }

        var (command, order) = prepared;
        for (var i = 0; i < parameters.Length; i++)
        {
            var (name, value) = parameters[i];
            var place = order[i] == name ? i : Array.IndexOf(order, name);
            command.Parameters[place].Value = value ?? DBNull.Value;
        }

        return command;
    }

    /// <summary>Runs a prepared statement.</summary>
    /// <returns>How many rows it changed.</returns>
    public Task<int> ExecuteAsync(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
        => Prepared(sql, parameters).ExecuteNonQueryAsync();

    /// <summary>Runs a prepared statement.</summary>
    /// <returns>The first column of the first row; null when there is none, or nothing in it.</returns>
    public Task<object?> ScalarAsync(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
        => ScalarAsync(Prepared(sql, parameters));

    /// <summary>
    /// The row that a prepared query finds by its key; null when there is none. The thread waits for it: the answer is
    /// there before another thread could have been told of it. No more threads wait so than there are connections.
    /// </summary>
    public static DbDataReader? OpenRow(DbCommand command)
    {
        var reader = command.ExecuteReader();
        try
        {
            if (reader.Read())
                return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }

        reader.Dispose();
        return null;
    }

    /// <summary>
    /// Runs a statement once for each item, in their order; in one round trip where the database is another process.
    /// </summary>
    /// <param name="sql">Selects or returns a column.</param>
    /// <param name="parameters">The values of one item.</param>
    /// <returns>For each item whether a row came back.</returns>
    public virtual async Task<IReadOnlyList<bool>> ForEachAsync<TItem>(
        string sql, IReadOnlyCollection<TItem> items, Func<TItem, (string Name, object? Value)[]> parameters,
        CancellationToken cancellationToken)
    {
        var found = new List<bool>(items.Count);
        foreach (var item in items)
            found.Add(await Prepared(sql, parameters(item)).ExecuteScalarAsync(cancellationToken) is not null);
        return found;
    }

    /// <summary>A command with a parameter for each of <paramref name="names"/>, in their order.</summary>
    protected virtual DbCommand CreateCommand(string sql, IReadOnlyList<string> names)
    {
        var command = Connection.CreateCommand();
#pragma warning disable CA2100 // the texts are constants of the adapters
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var name in names)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            command.Parameters.Add(parameter);
        }

        return command;
    }

    private static async Task<object?> ScalarAsync(DbCommand command)
        => await command.ExecuteScalarAsync() is { } value and not DBNull ? value : null;

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var (command, _) in _prepared.Values)
            await command.DisposeAsync();
        await Connection.DisposeAsync();
    }
}
