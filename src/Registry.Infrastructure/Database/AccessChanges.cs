using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Database;

/// <summary>
/// What the database says about access, kept by this process and looked at again every second or two: one number tells
/// whether anything has changed. Who remembers anything else that a change may end keeps it for one
/// <see cref="Version"/>, and only while <see cref="IsFresh"/>.
/// </summary>
internal sealed partial class AccessChanges(RegistryDatabase database, TimeProvider time, ILogger<AccessChanges> logger)
    : BackgroundService, IStoredAccess
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    /// <summary>A revoked principal is stopped within 5 seconds; a look may itself take some time.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(4);

    // Times in the database are in milliseconds: a token of the one in which others are revoked is revoked with them.
    private static readonly TimeSpan NextMillisecond = TimeSpan.FromMilliseconds(2);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile StoredAccess _current = StoredAccess.Nothing;
    private readonly Lock _sharing = new();
    private Task _shared = Task.CompletedTask; // under that lock
    private long _version = -1;
    private long _knownAt;
    private long _looked;

    public StoredAccess Current => _current;

    /// <summary>Another one after every change.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Whether the last look is so short ago that what is remembered still counts.</summary>
    public bool IsFresh => Version >= 0 && time.GetElapsedTime(Volatile.Read(ref _looked)) < Fresh;

    /// <summary>
    /// When the last look began, by the database's clock: everything that was revoked up to then is known here.
    /// </summary>
    public DateTimeOffset KnownAt => DateTimeOffset.FromUnixTimeMilliseconds(Volatile.Read(ref _knownAt));

    /// <summary>Said by every write that changes who may do what, in its transaction.</summary>
    public static Task AnnounceAsync(DatabaseSession session)
        => session.ExecuteAsync("UPDATE access_changes SET version = version + 1 WHERE id = 1");

    public ValueTask EnsureFreshAsync(CancellationToken cancellationToken)
        => IsFresh ? default : new(LookTogetherAsync(cancellationToken));

    /// <summary>
    /// Looks now. Who has changed something waits for it, so that the change counts here at once.
    /// </summary>
    public Task RefreshAsync(CancellationToken cancellationToken) => LookAsync(unlessFresh: false, cancellationToken);

    /// <summary>
    /// Runs a write that changes who may do what, in a transaction. Once it is committed it counts here when this
    /// returns; what is refused changes nothing and is not announced.
    /// </summary>
    public async Task<Result<T>> ChangeAsync<T>(
        Func<DatabaseSession, Task<Result<T>>> write, CancellationToken cancellationToken)
    {
        var outcome = await database.WriteAsync(
            async session =>
            {
                var written = await write(session);
                if (written.TryGet(out _, out _))
                    await AnnounceAsync(session);
                return written;
            },
            durable: true,
            cancellationToken);
        if (outcome.TryGet(out _, out _))
            await RefreshAsync(CancellationToken.None); // it is done, whether its client still waits or not
        return outcome;
    }

    /// <summary>
    /// Ends all bearer and refresh tokens of a principal that were issued up to now. Who says it in a transaction says
    /// <see cref="RevokeWhatCameBetweenAsync"/> once that is committed.
    /// </summary>
    /// <param name="principal">Its name, such as <c>user:alice</c>.</param>
    /// <returns>How many refresh tokens there were.</returns>
    public static async Task<int> RevokeAsync(DatabaseSession session, string principal)
    {
        await session.ExecuteAsync(
            """
            INSERT INTO revocations (principal, revoked_before) VALUES (@principal, registry_now())
            ON CONFLICT (principal) DO UPDATE SET revoked_before = excluded.revoked_before
            """,
            ("@principal", principal));
        // No bearer token counts for longer than a day; the tokens of workloads, for as long as their issuers say.
        await session.ExecuteAsync(
            """
            DELETE FROM revocations
            WHERE revoked_before < registry_now() - @age AND principal NOT LIKE 'workload:%' AND NOT EXISTS (
                SELECT 1 FROM refresh_tokens t
                WHERE t.principal = revocations.principal AND t.issued_at <= revocations.revoked_before)
            """,
            ("@age", (long)TimeSpan.FromDays(2).TotalMilliseconds));
        return await session.ExecuteAsync(
            "DELETE FROM refresh_tokens WHERE principal = @principal", ("@principal", principal));
    }

    /// <summary>
    /// A node that has looked while a revocation was being committed has missed it, and would give tokens that are
    /// newer. Every look that has missed it is older than this one. Done once begun: who has asked for it may be gone.
    /// </summary>
    public async Task RevokeWhatCameBetweenAsync(string principal)
    {
        await database.WriteAsync(
            async session =>
            {
                await AnnounceAsync(session);
                return await RevokeAsync(session, principal);
            },
            durable: true,
            CancellationToken.None);
        await Task.Delay(NextMillisecond, CancellationToken.None); // of the database
        await RefreshAsync(CancellationToken.None);
    }

    public override void Dispose()
    {
        base.Dispose();
        _turn.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failing = false;
        using var timer = new PeriodicTimer(LookAgain, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                failing = await TryRefreshAsync(failing, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    /// <param name="failing">Whether it has failed the last time, which was told then.</param>
    /// <returns>Whether it fails.</returns>
    private async Task<bool> TryRefreshAsync(bool failing, CancellationToken cancellationToken)
    {
        try
        {
            await RefreshAsync(cancellationToken);
            return false;
        }
        // Also a row that this version cannot read: what was known before stays in force, and the server runs.
        catch (Exception e) when (e is not OperationCanceledException)
        {
            if (!failing)
                Log.NotRead(logger, e.GetBaseException().Message);
            return true;
        }
    }

    // While the database does not answer, all who need to know wait for one look and share its failure.
    private Task LookTogetherAsync(CancellationToken cancellationToken)
    {
        lock (_sharing)
        {
            if (_shared.IsCompleted)
                _shared = LookAsync(unlessFresh: true, CancellationToken.None);
            return _shared.WaitAsync(cancellationToken);
        }
    }

    /// <param name="unlessFresh">Whether nothing is done where somebody else has just looked.</param>
    private async Task LookAsync(bool unlessFresh, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (unlessFresh && IsFresh)
                return;
            var began = time.GetTimestamp();
            var (version, now) = await database.ReadAsync(ReadVersionAsync, cancellationToken);
            if (version != Version)
            {
                // The number is read first: what is read behind it is as new or newer.
                _current = await database.ReadAsync(ReadAsync, cancellationToken);
                Volatile.Write(ref _version, version);
            }

            Volatile.Write(ref _knownAt, now);
            Volatile.Write(ref _looked, began);
        }
        finally
        {
            _turn.Release();
        }
    }

    private static Task<(long Version, long Now)> ReadVersionAsync(DatabaseSession session)
        => session.Connection.QuerySingleAsync<(long, long)>(
            "SELECT version, registry_now() FROM access_changes WHERE id = 1");

    private static async Task<StoredAccess> ReadAsync(DatabaseSession session)
    {
        var rules = await session.Connection.QueryAsync<RuleRow>(
            "SELECT id, subject, registry, repositories, actions, denies FROM access_rules");
        var revocations = await session.Connection.QueryAsync<(string Principal, long Before)>(
            "SELECT principal, revoked_before FROM revocations");
        return new(
            rules.ToDictionary(row => row.Id, row => row.ToRule(), StringComparer.Ordinal),
            revocations.ToDictionary(
                row => row.Principal,
                row => DateTimeOffset.FromUnixTimeMilliseconds(row.Before),
                StringComparer.Ordinal));
    }

    private sealed record RuleRow(
        string Id, string Subject, string? Registry, string Repositories, string Actions, long Denies)
    {
        public AccessRule ToRule() => AccessRuleColumns.Rule(Subject, Registry, Repositories, Actions, Denies != 0);
    }

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "Whether access rules or users have changed cannot be found out ({Problem}).")]
        public static partial void NotRead(ILogger logger, string problem);
    }
}
