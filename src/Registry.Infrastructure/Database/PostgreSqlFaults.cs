using System.Net.Sockets;
using Npgsql;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Database;

/// <summary>What a failure of PostgreSQL means for the work that met it.</summary>
internal static class PostgreSqlFaults
{
    /// <summary>Writers got into each other's way; this one was taken back whole and may simply try again.</summary>
    public static bool IsConflict(Exception fault)
        => fault is PostgresException
        {
            SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected,
        };

    /// <summary>
    /// The connection, or the server behind it, is gone or is no longer the one that takes writes; another connection
    /// may do.
    /// </summary>
    public static bool IsLoss(Exception fault) => fault switch
    {
        PostgresException e => e.SqlState
            is PostgresErrorCodes.AdminShutdown
                or PostgresErrorCodes.CrashShutdown
                or PostgresErrorCodes.CannotConnectNow
                or "57P05" // idle_session_timeout
                or PostgresErrorCodes.ReadOnlySqlTransaction
            || e.SqlState.StartsWith("08", StringComparison.Ordinal),
        // Of several hosts, an AggregateException says what each of them answered, and nothing when none was tried.
        NpgsqlException e => e.InnerException
            is null or IOException or SocketException or ObjectDisposedException or AggregateException,
        _ => false,
    };

    /// <summary>Whether it is about the database at all, closed as it is at the end, and not a bug.</summary>
    public static bool Covers(Exception fault)
        => fault is NpgsqlException or TimeoutException or SocketException or ObjectDisposedException;

    public static StorageException Explain(Exception fault)
        => new(
            fault is PostgresException { SqlState: PostgresErrorCodes.DiskFull }
                ? OciError.StoreFull()
                : OciError.Unavailable("database"),
            fault);
}
