using System.Data.Common;

namespace Registry.Infrastructure.Database;

/// <summary>Columns that may hold nothing, and times in milliseconds since 1970.</summary>
internal static class NullableColumns
{
    public static string? TextOrNull(this DbDataReader row, int column)
        => row.IsDBNull(column) ? null : row.GetString(column);

    public static byte[]? BytesOrNull(this DbDataReader row, int column)
        => row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column);

    public static DateTimeOffset Time(this DbDataReader row, int column)
        => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    public static DateTimeOffset? TimeOrNull(this DbDataReader row, int column)
        => row.IsDBNull(column) ? null : row.Time(column);
}
