using System.Data.Common;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Database;

/// <summary>What tables have in common whose rows are changed only in the version that is known.</summary>
internal static class VersionedRows
{
    /// <summary>The row of a statement that finds or returns one at most.</summary>
    public static async Task<T?> SingleAsync<T>(DbCommand command, Func<DbDataReader, T> read)
        where T : class
    {
        await using var row = await command.ExecuteReaderAsync();
        return await row.ReadAsync() ? read(row) : null;
    }

    public static async Task<IReadOnlyList<T>> AllAsync<T>(DbCommand command, Func<DbDataReader, T> read)
    {
        await using var row = await command.ExecuteReaderAsync();
        var all = new List<T>();
        while (await row.ReadAsync())
            all.Add(read(row));
        return all;
    }

    /// <param name="command">Asks for one row more than the page has.</param>
    public static async Task<Page<T>> PageAsync<T>(DbCommand command, int size, Func<DbDataReader, T> read)
        => Page<T>.Of(await AllAsync(command, read), size);

    /// <summary>
    /// The row that a change has returned; refused as unknown or changed meanwhile when it has changed nothing.
    /// </summary>
    /// <param name="exists">Whether there is such a row in any version: a query with the parameter <c>@key</c>.</param>
    /// <param name="called">What messages call it.</param>
    public static async Task<Result<T>> ChangedAsync<T>(
        DatabaseSession session, DbCommand change, Func<DbDataReader, T> read, string exists, string key, string called)
        where T : class
    {
        if (await SingleAsync(change, read) is { } changed)
            return changed;
        return await session.ScalarAsync(exists, ("@key", key)) is null
            ? OciError.Unknown(called)
            : OciError.Changed(called);
    }
}
