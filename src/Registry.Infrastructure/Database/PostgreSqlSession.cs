using System.Data.Common;
using System.Text.RegularExpressions;
using Npgsql;

namespace Registry.Infrastructure.Database;

/// <inheritdoc/>
internal sealed partial class PostgreSqlSession(NpgsqlConnection connection, int generation)
    : DatabaseSession(connection)
{
    // Statements sent together. More would only grow the buffers.
    private const int MaxBatch = 250;

    private readonly NpgsqlConnection _connection = connection;
    private bool _spoiled;

    /// <summary>Which of the pool's generations of connections it belongs to.</summary>
    public int Generation => generation;

    public bool IsUsable => !_spoiled && _connection.FullState == System.Data.ConnectionState.Open;

    /// <summary>
    /// Something went wrong with it that the server has not told about: it is not used again. After a time-out the
    /// driver (Npgsql 10) has been seen to call connections open that it had disposed of.
    /// </summary>
    public void Spoil() => _spoiled = true;

    public override bool LocksRows => true;

    public override string SkipLocked => " FOR UPDATE SKIP LOCKED";

    public override string ForShare(string table) => $" FOR SHARE OF {table}";

    public override string ForUpdate(string table) => $" FOR UPDATE OF {table}";

    public override string ForKeyShare(string table) => $" FOR KEY SHARE OF {table}";

    public override async Task<IReadOnlyList<bool>> ForEachAsync<TItem>(
        string sql, IReadOnlyCollection<TItem> items, Func<TItem, (string Name, object? Value)[]> parameters,
        CancellationToken cancellationToken)
    {
        var found = new List<bool>(items.Count);
        foreach (var part in items.Chunk(MaxBatch))
        {
            await using var batch = _connection.CreateBatch();
            foreach (var item in part)
            {
#pragma warning disable CA2100 // the texts are constants of the adapters
                var command = new NpgsqlBatchCommand(sql);
#pragma warning restore CA2100
                foreach (var (name, value) in parameters(item))
                    command.Parameters.AddWithValue(name, value ?? DBNull.Value);
                batch.BatchCommands.Add(command);
            }

            await using var results = await batch.ExecuteReaderAsync(cancellationToken);
            do
                found.Add(await results.ReadAsync(cancellationToken));
            while (await results.NextResultAsync(cancellationToken));
        }

        return found;
    }

    // With the server's own numbers in the text: names the driver would look for and replace at every call.
    protected override DbCommand CreateCommand(string sql, IReadOnlyList<string> names)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // the texts are constants of the adapters
        command.CommandText = ParameterName().Replace(sql, name => $"${Number(name.Value)}");
#pragma warning restore CA2100
        for (var i = 0; i < names.Count; i++)
            command.Parameters.Add(new NpgsqlParameter());
        return command;

        int Number(string name)
        {
            for (var i = 0; i < names.Count; i++)
            {
                if (names[i] == name)
                    return i + 1;
            }

            throw new InvalidOperationException($"The statement has no value for '{name}': {sql}");
        }
    }

    [GeneratedRegex("@[A-Za-z_]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ParameterName();
}
