using System.Collections.Concurrent;
using Npgsql;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Database;

/// <summary>
/// A fixed number of connections, opened when they are needed and kept with their prepared statements. Who comes when
/// all are in use waits; who would wait too long, or behind too many, is turned away.
/// </summary>
internal sealed class PostgreSqlConnections(NpgsqlDataSource source, int size, TimeSpan maxWait) : IAsyncDisposable
{
    /// <summary>How many may wait for each connection; whoever comes then is turned away at once.</summary>
    public const int MaxWaitingPerConnection = 50;

    private readonly ConcurrentStack<PostgreSqlSession> _idle = new();
    private readonly SemaphoreSlim _free = new(size, size);
    private int _waiting;
    private int _generation;

    /// <exception cref="StorageException">None became free in time.</exception>
    /// <exception cref="NpgsqlException">The server cannot be reached or refuses.</exception>
    public async Task<PostgreSqlSession> RentAsync(CancellationToken cancellationToken)
    {
        if (!_free.Wait(0, cancellationToken))
            await WaitAsync(cancellationToken);
        try
        {
            while (_idle.TryPop(out var session))
            {
                if (session.IsUsable && session.Generation == Volatile.Read(ref _generation))
                    return session;
                await session.DisposeAsync();
            }

            var generation = Volatile.Read(ref _generation);
            return new(await source.OpenConnectionAsync(cancellationToken), generation);
        }
        catch
        {
            _free.Release();
            throw;
        }
    }

    /// <summary>Takes a connection back after its work; one that is broken is closed.</summary>
    public async Task ReturnAsync(PostgreSqlSession session)
    {
        if (session.IsUsable && session.Generation == Volatile.Read(ref _generation))
            _idle.Push(session);
        else
            await session.DisposeAsync();
        _free.Release();
    }

    /// <summary>
    /// The server has gone or changed its role: what happened to this connection has happened to all that are as old,
    /// and none of them is used again.
    /// </summary>
    public void Renew(PostgreSqlSession lost)
        => Interlocked.CompareExchange(ref _generation, lost.Generation + 1, lost.Generation);

    public async ValueTask DisposeAsync()
    {
        while (_idle.TryPop(out var session))
            await session.DisposeAsync();
        await source.DisposeAsync(); // whoever comes now is refused, and who still has one can give it back
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref _waiting) <= size * MaxWaitingPerConnection
                && await _free.WaitAsync(maxWait, cancellationToken))
                return;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        throw new StorageException(
            OciError.Unavailable("database"),
            new TimeoutException(
                $"All {size} connections to the database are in use (Registry:Database:MaxConnections)."));
    }
}
