using System.Collections.Concurrent;
using Dapper;
using Registry.Application.Uploads;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="IUploadSessions"/>
/// <remarks>
/// None of these changes is durable against a power cut: whoever loses an open upload to one starts again. A claim is
/// an entry of this process; only where other processes share the database does it also stand in the row, at the price
/// of a write.
/// </remarks>
internal sealed class UploadSessions(RegistryDatabase database, TimeProvider time) : IUploadSessions
{
    /// <summary>How long a claim outlives a node that was killed. It is renewed four times as often.</summary>
    public static readonly TimeSpan ClaimLength = TimeSpan.FromSeconds(20);

    private const string Columns
        = "id, registry, repository, store, owner, algorithm, position, version, expires_at AS ExpiresAt, state";

    private static readonly long ClaimMilliseconds = (long)ClaimLength.TotalMilliseconds;

    private readonly ConcurrentDictionary<UploadId, bool> _claimed = new();

    private bool IsShared => database.IsShared;

    private TimeProvider Time => time;

    public Task StartAsync(UploadSession session, CancellationToken cancellationToken)
        => database.WriteAsync(
            write => write.ExecuteAsync(
                """
                INSERT INTO uploads
                    (id, registry, repository, store, owner, algorithm, position, version, expires_at, state)
                VALUES
                    (@id, @registry, @repository, @store, @owner, @algorithm, @offset, @version, registry_now() + @rest,
                     @state)
                """,
                ("@id", session.Id.ToString()),
                ("@registry", session.Repository.Registry.Value),
                ("@repository", session.Repository.Name.Value),
                ("@store", session.Store),
                ("@owner", session.Owner),
                ("@algorithm", session.Algorithm.Name),
                ("@offset", session.Offset),
                ("@version", session.Version),
                ("@rest", Rest(session.ExpiresAt)),
                ("@state", session.State)),
            durable: false,
            cancellationToken);

    public Task<UploadSession?> FindAsync(
        RepositoryIdentity repository, UploadId id, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session => (await session.Connection.QuerySingleOrDefaultAsync<Row>(
                $"SELECT {Columns} FROM uploads "
                + "WHERE id = @id AND registry = @Registry AND repository = @Name AND expires_at > registry_now()",
                new
                {
                    id = id.ToString(),
                    Registry = repository.Registry.Value,
                    Name = repository.Name.Value,
                }))?.ToSession(),
            cancellationToken);

    public async Task<IUploadClaim?> ClaimAsync(
        RepositoryIdentity repository, string owner, UploadId id, CancellationToken cancellationToken)
    {
        if (!_claimed.TryAdd(id, true))
            return null;
        var claimed = false;
        try
        {
            // First the claim, then the row: what is read now cannot grow old.
            var session = IsShared
                ? await ClaimRowAsync(repository, owner, id, cancellationToken)
                : await FindAsync(repository, id, cancellationToken);
            if (session?.Owner != owner)
                return null;
            claimed = true;
            return new Claim(this, session!);
        }
        finally
        {
            if (!claimed)
                _claimed.TryRemove(id, out _);
        }
    }

    public Task<bool> AdvanceAsync(
        UploadSession session, AppendedBytes appended, DateTimeOffset expiresAt, CancellationToken cancellationToken)
        => database.WriteAsync(
            async write => await write.ExecuteAsync(
                """
                UPDATE uploads
                SET position = @offset, state = @state, version = version + 1, expires_at = registry_now() + @rest,
                    claimed_until = 0
                WHERE id = @id AND version = @version
                """,
                ("@offset", appended.Offset),
                ("@state", appended.State),
                ("@rest", Rest(expiresAt)),
                ("@id", session.Id.ToString()),
                ("@version", session.Version)) > 0,
            durable: false,
            cancellationToken);

    public Task<UploadSession?> RemoveAsync(
        RepositoryIdentity repository, string owner, UploadId id, CancellationToken cancellationToken)
        => database.WriteAsync(
            async session => (await session.Connection.QuerySingleOrDefaultAsync<Row>(
                $"""
                DELETE FROM uploads
                WHERE id = @id AND registry = @Registry AND repository = @Name AND owner = @owner
                RETURNING {Columns}
                """,
                new
                {
                    id = id.ToString(),
                    Registry = repository.Registry.Value,
                    Name = repository.Name.Value,
                    owner,
                }))?.ToSession(),
            durable: false,
            cancellationToken);

    public Task<IReadOnlyList<UploadSession>> ListExpiredAsync(int limit, CancellationToken cancellationToken)
        => database.ReadAsync<IReadOnlyList<UploadSession>>(
            async session => [.. (await session.Connection.QueryAsync<Row>(
                $"SELECT {Columns} FROM uploads WHERE expires_at <= registry_now() ORDER BY expires_at LIMIT @limit",
                new { limit })).Select(row => row.ToSession())],
            cancellationToken);

    public async Task<UploadSession?> RemoveExpiredAsync(UploadId id, CancellationToken cancellationToken)
    {
        if (!_claimed.TryAdd(id, true))
            return null;
        try
        {
            return await database.WriteAsync(
                async session => (await session.Connection.QuerySingleOrDefaultAsync<Row>(
                    $"""
                    DELETE FROM uploads
                    WHERE id = @id AND expires_at <= registry_now() AND claimed_until <= registry_now()
                    RETURNING {Columns}
                    """,
                    new { id = id.ToString() }))?.ToSession(),
                durable: false,
                cancellationToken);
        }
        finally
        {
            _claimed.TryRemove(id, out _);
        }
    }

    public Task<bool> ExistsAsync(UploadId id, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session => await session.Connection.ExecuteScalarAsync<long?>(
                "SELECT 1 FROM uploads WHERE id = @id", new { id = id.ToString() }) is not null,
            cancellationToken);

    // The version is counted up, so that a former writer who comes back late changes nothing.
    private Task<UploadSession?> ClaimRowAsync(
        RepositoryIdentity repository, string owner, UploadId id, CancellationToken cancellationToken)
        => database.WriteAsync(
            async session => (await session.Connection.QuerySingleOrDefaultAsync<Row>(
                $"""
                UPDATE uploads SET version = version + 1, claimed_until = registry_now() + @ClaimMilliseconds
                WHERE id = @id AND registry = @Registry AND repository = @Name AND owner = @owner
                    AND expires_at > registry_now() AND claimed_until <= registry_now()
                RETURNING {Columns}
                """,
                new
                {
                    id = id.ToString(),
                    Registry = repository.Registry.Value,
                    Name = repository.Name.Value,
                    owner,
                    ClaimMilliseconds,
                }))?.ToSession(),
            durable: false,
            cancellationToken);

    private Task<bool> KeepClaimAsync(UploadSession session, bool release, CancellationToken cancellationToken)
        => database.WriteAsync(
            async write => await write.Connection.ExecuteAsync(
                release
                    ? "UPDATE uploads SET claimed_until = 0 WHERE id = @Id AND version = @Version"
                    : "UPDATE uploads SET claimed_until = registry_now() + @ClaimMilliseconds "
                        + "WHERE id = @Id AND version = @Version",
                new { ClaimMilliseconds, Id = session.Id.ToString(), session.Version }) > 0,
            durable: false,
            cancellationToken);

    // The end is by this node's clock, what counts is the database's: only the length is common to both.
    private long Rest(DateTimeOffset expiresAt) => (long)(expiresAt - time.GetUtcNow()).TotalMilliseconds;

    private sealed class Claim : IUploadClaim
    {
        private readonly UploadSessions _sessions;
        private readonly CancellationTokenSource _lost = new();
        private readonly CancellationTokenSource _end = new();
        private readonly Task _kept;
        private bool _settled;
        private bool _disposed;

        public Claim(UploadSessions sessions, UploadSession session)
        {
            (_sessions, Session) = (sessions, session);
            _kept = sessions.IsShared ? KeepUpAsync() : Task.CompletedTask;
        }

        public UploadSession Session { get; }

        public CancellationToken Lost => _lost.Token;

        public void Settle() => _settled = true;

        public async ValueTask DisposeAsync()
        {
            if (_disposed)
                return;
            _disposed = true;

            await _end.CancelAsync();
            try
            {
                await _kept;
                if (_sessions.IsShared && !_settled)
                    await _sessions.KeepClaimAsync(Session, release: true, CancellationToken.None);
            }
            catch (StorageException)
            {
                // It runs out by itself; whatever kept the request from ending well is what its client should hear.
            }
            finally
            {
                _sessions._claimed.TryRemove(Session.Id, out _);
                _lost.Dispose();
                _end.Dispose();
            }
        }

        private async Task KeepUpAsync()
        {
            var time = _sessions.Time;
            using var timer = new PeriodicTimer(ClaimLength / 4, time);
            var renewed = time.GetTimestamp();
            try
            {
                while (await timer.WaitForNextTickAsync(_end.Token))
                {
                    var asked = time.GetTimestamp();
                    if (await TryRenewAsync() is { } renewal)
                    {
                        if (!renewal)
                            break;
                        renewed = asked;
                    }
                    else if (time.GetElapsedTime(renewed) >= ClaimLength * 3 / 4)
                    {
                        break; // before the next try it may have run out
                    }
                }

                await _lost.CancelAsync();
            }
            catch (OperationCanceledException) when (_end.IsCancellationRequested)
            {
                // The request has ended.
            }
            catch
            {
                await _lost.CancelAsync(); // whatever it was, nobody renews the claim any more
                throw;
            }
        }

        // Null when the database did not say.
        private async Task<bool?> TryRenewAsync()
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
            patience.CancelAfter(ClaimLength / 4);
            try
            {
                return await _sessions.KeepClaimAsync(Session, release: false, patience.Token);
            }
            catch (Exception e) when (e is StorageException or OperationCanceledException)
            {
                return null;
            }
        }
    }

    private sealed record Row(
        string Id, string Registry, string Repository, string Store, string Owner, string Algorithm, long Position,
        long Version, long ExpiresAt, string? State)
    {
        public UploadSession ToSession() => new(
            UploadId.Parse(Id),
            new(RegistryName.Parse(Registry), RepositoryName.Parse(Repository)),
            Store,
            Owner,
            Algorithm == DigestAlgorithm.Sha512.Name ? DigestAlgorithm.Sha512 : DigestAlgorithm.Sha256,
            Position,
            Version,
            DateTimeOffset.FromUnixTimeMilliseconds(ExpiresAt))
        {
            State = State,
        };
    }
}
