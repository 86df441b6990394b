using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Database;

/// <summary>
/// A PostgreSQL server that several nodes share: transactions of many writers side by side, each READ COMMITTED and
/// with the rows locked that it relies on.
/// </summary>
/// <remarks>
/// Work that the database has taken back, or a lost connection before the commit, is repeated for a moment. A commit
/// whose outcome nobody can tell is not: done twice, it might find its own first time and answer wrongly.
/// </remarks>
internal sealed partial class PostgreSqlDatabase(
    string connectionString, DatabaseOptions options, ILogger<PostgreSqlDatabase> logger)
    : RegistryDatabase
{
    // Of advisory locks: any numbers, and for ever the same.
    public const long MigrationLock = 0x7265_6769_7374_7279;
    private const long AloneLock = MigrationLock + 1;

    // How long work is repeated before its client is told to come back: over a conflict, a pooler's restart, a short
    // failover. Requests that wait longer than this only pile up.
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(250);

    private PostgreSqlConnections? _connections;
    private bool _current;

    private PostgreSqlConnections Connections
        => _connections ?? throw new InvalidOperationException("The database has not been opened.");

    public override bool IsShared => true;

    public override Task OpenAsync(CancellationToken cancellationToken)
        => BeginAsync(
            async (server, connection) =>
            {
                server.RefuseVersion(connection.PostgreSqlVersion);
                await CheckSettingsAsync(server, connection);
                if (!_current)
                    await Migrations.ApplyPostgreSqlAsync(connection, cancellationToken);
                return true;
            },
            cancellationToken);

    public override async Task<bool> IsCurrentAsync(CancellationToken cancellationToken)
        => _current = await BeginAsync(
            (_, connection) => Migrations.IsCurrentPostgreSqlAsync(connection), cancellationToken);

    public override Task<T> ReadAsync<T>(Func<DatabaseSession, Task<T>> read, CancellationToken cancellationToken)
        => RepeatAsync(session => read(session), cancellationToken);

    public override Task<T> WriteAsync<T>(
        Func<DatabaseSession, Task<T>> write, bool durable, CancellationToken cancellationToken)
        => RepeatAsync(
            async session =>
            {
                await using var transaction
                    = await ((NpgsqlConnection)session.Connection).BeginTransactionAsync(cancellationToken);
                if (!durable)
                    await session.Connection.ExecuteAsync("SET LOCAL synchronous_commit = off");
                var result = await write(session);
                await CommitAsync(transaction);
                return result;
            },
            cancellationToken);

    public override async Task AloneAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        var session = await Connections.RentAsync(cancellationToken);
        try
        {
            // The transaction holds the lock and nothing else; it ends with its connection, however that ends.
            await using var turn
                = await ((NpgsqlConnection)session.Connection).BeginTransactionAsync(cancellationToken);
            await session.Connection.ExecuteAsync(
                new(
                    $"SELECT pg_advisory_xact_lock({AloneLock})", commandTimeout: 0,
                    cancellationToken: cancellationToken));
            await work();
        }
        finally
        {
            await Connections.ReturnAsync(session);
        }
    }

    private async Task<T> BeginAsync<T>(
        Func<PostgreSqlServer, NpgsqlConnection, Task<T>> begin, CancellationToken cancellationToken)
    {
        var server = PostgreSqlServer.Parse(connectionString);
        _connections ??= new(server.CreateSource(), options.MaxConnections, options.MaxWait);
        PostgreSqlSession session;
        try
        {
            session = await _connections.RentAsync(cancellationToken);
        }
        catch (Exception e) when (PostgreSqlFaults.Covers(e))
        {
            throw server.Refuse(e);
        }

        try
        {
            return await begin(server, (NpgsqlConnection)session.Connection);
        }
        catch (NpgsqlException e)
        {
            throw server.Refuse(e);
        }
        finally
        {
            await _connections.ReturnAsync(session);
        }
    }

    public override ValueTask DisposeAsync() => _connections?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<T> RepeatAsync<T>(Func<PostgreSqlSession, Task<T>> work, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await RunAsync(work, cancellationToken);
            }
            catch (Exception e) when (PostgreSqlFaults.Covers(e))
            {
                var again = PostgreSqlFaults.IsConflict(e) || PostgreSqlFaults.IsLoss(e);
                if (!again || TimeProvider.System.GetElapsedTime(started) > Budget)
                    throw PostgreSqlFaults.Explain(e);
                Log.Repeated(logger, tries, e);
            }

            await Task.Delay(Pause(tries), cancellationToken);
        }
    }

    private async Task<T> RunAsync<T>(Func<PostgreSqlSession, Task<T>> work, CancellationToken cancellationToken)
    {
        var connections = Connections;
        var session = await connections.RentAsync(cancellationToken);
        try
        {
            return await work(session);
        }
        catch (ObjectDisposedException e)
        {
            // What the driver has disposed of, and calls open all the same, has not reached the server.
            session.Spoil();
            throw new NpgsqlException("The connection had been closed.", e);
        }
        catch (Exception e)
        {
            var fault = e is StorageException { InnerException: { } cause } ? cause : e;
            if (PostgreSqlFaults.IsLoss(fault))
                connections.Renew(session);
            else if (fault is not (PostgresException or OperationCanceledException))
                session.Spoil();
            throw;
        }
        finally
        {
            await connections.ReturnAsync(session);
        }
    }

    // Nothing is cancelled any more from here on, and a failure of any other kind than a conflict leaves open whether
    // the change is there.
    private static async Task CommitAsync(NpgsqlTransaction transaction)
    {
        try
        {
            await transaction.CommitAsync(CancellationToken.None);
        }
        catch (Exception e) when (PostgreSqlFaults.Covers(e) && !PostgreSqlFaults.IsConflict(e))
        {
            throw PostgreSqlFaults.Explain(e);
        }
    }

    // Of several that met, the one comes back at another time than the other.
    private static TimeSpan Pause(int tries)
    {
        var longest = Math.Min(MaxPause.TotalMilliseconds, 5 << Math.Min(tries, 10));
        return TimeSpan.FromMilliseconds((longest / 2) + Random.Shared.Next((int)(longest / 2) + 1));
    }

    private async Task CheckSettingsAsync(PostgreSqlServer server, NpgsqlConnection connection)
    {
        var (encoding, standby, fsync, commit) = await connection.QuerySingleAsync<(string, bool, string, string)>(
            """
            SELECT current_setting('server_encoding'), pg_is_in_recovery(), current_setting('fsync'),
                current_setting('synchronous_commit')
            """);
        if (standby)
            throw server.Refused(
                "is a standby, which takes no writes",
                "name the primary, or all hosts with Target Session Attributes=primary");
        if (encoding != "UTF8")
            throw server.Refused(
                $"has a database in the encoding {encoding}", "make one with ENCODING 'UTF8' TEMPLATE template0");
        if (fsync == "off")
            Log.NotDurable(logger, "fsync");
        if (commit == "off")
            Log.NotDurable(logger, "synchronous_commit");
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "The database took work back (try {Tries}); it is repeated.")]
        public static partial void Repeated(ILogger logger, int tries, Exception e);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "The database server has {Setting} = off: a power cut there can lose what was confirmed.")]
        public static partial void NotDurable(ILogger logger, string setting);
    }
}
