using System.Data.Common;
using Registry.Application.Access;
using Registry.Application.Access.AccessTokens;
using Registry.Application.Access.Robots;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Tokens;

/// <inheritdoc cref="IAccessTokens"/>
internal sealed class StoredAccessTokens(RegistryDatabase database, AccessChanges changes) : IAccessTokens
{
    private const int MaxPerOwner = 100;

    private const string Columns
        = "id, robot, owner_provider, owner_key, description, scope, version, created_at, expires_at, last_used_at, "
            + "CASE WHEN previous_until > registry_now() THEN previous_until END";

    private const string Exists = "SELECT 1 FROM access_tokens WHERE id = @key";

    public Task<Page<AccessToken>> ListAsync(
        TokenOwner? owner, PageRequest page, CancellationToken cancellationToken)
        => database.ReadAsync(
            session => VersionedRows.PageAsync(
                Listing(session, owner, ("@after", page.After ?? ""), ("@limit", page.Size + 1L)), page.Size, Read),
            cancellationToken);

    public async Task<AccessToken?> FindAsync(string id, CancellationToken cancellationToken)
        => TokenSecret.IsId(id)
            ? await database.ReadAsync(
                session => VersionedRows.SingleAsync(
                    session.Prepared($"SELECT {Columns} FROM access_tokens WHERE id = @id", ("@id", id)), Read),
                cancellationToken)
            : null;

    /// <summary>What signing in with a token needs to know of it, robot and all, in one query.</summary>
    /// <param name="id">One that a token can have.</param>
    public Task<KnownToken?> FindKnownAsync(string id, CancellationToken cancellationToken)
        => database.ReadAsync(
            session => VersionedRows.SingleAsync(
                session.Prepared(
                    """
                    SELECT t.id, t.robot, t.owner_provider, t.owner_key, r.enabled, t.scope, t.expires_at,
                        t.secret_hash, t.previous_hash, t.previous_until
                    FROM access_tokens t LEFT JOIN robots r ON r.name = t.robot WHERE t.id = @id
                    """,
                    ("@id", id)),
                row => new KnownToken(
                    row.GetString(0), ReadOwner(row), row.IsDBNull(4) || row.GetInt64(4) != 0,
                    AccessRuleColumns.Scope(row.TextOrNull(5)), row.TimeOrNull(6), row.GetFieldValue<byte[]>(7),
                    row.BytesOrNull(8), row.TimeOrNull(9))),
            cancellationToken);

    public Task<Result<RevealedToken>> AddAsync(NewAccessToken token, CancellationToken cancellationToken)
    {
        var secret = TokenSecret.New(TokenSecret.NewId());
        return changes.ChangeAsync(session => AddAsync(session, token, secret), cancellationToken);
    }

    public async Task<Result<RevealedToken>> RotateAsync(
        string id, TimeSpan overlap, long? version, CancellationToken cancellationToken)
    {
        if (!TokenSecret.IsId(id))
            return OciError.Unknown(AccessToken.Called(id));
        var secret = TokenSecret.New(id);
        var rotated = await changes.ChangeAsync(
            session => VersionedRows.ChangedAsync(
                session,
                session.Prepared(
                    $"""
                    UPDATE access_tokens SET
                        previous_hash = CASE WHEN @overlap > 0 THEN secret_hash END,
                        previous_until = CASE WHEN @overlap > 0 THEN registry_now() + @overlap END,
                        secret_hash = @hash, version = version + 1
                    WHERE id = @id AND version = COALESCE(@version, version)
                    RETURNING {Columns}
                    """,
                    ("@overlap", (long)overlap.TotalMilliseconds),
                    ("@hash", secret.Hash),
                    ("@id", id),
                    ("@version", version)),
                Read,
                Exists,
                id,
                AccessToken.Called(id)),
            cancellationToken);
        return rotated.TryGet(out var token, out var errors)
            ? new RevealedToken(token, secret.Text)
            : Result<RevealedToken>.Refused(errors);
    }

    public async Task<Result<AccessToken>> RevokeAsync(string id, long? version, CancellationToken cancellationToken)
        => TokenSecret.IsId(id)
            ? await RemoveAsync(id, version, cancellationToken)
            : OciError.Unknown(AccessToken.Called(id));

    private Task<Result<AccessToken>> RemoveAsync(string id, long? version, CancellationToken cancellationToken)
        => changes.ChangeAsync(
            session => VersionedRows.ChangedAsync(
                session,
                session.Prepared(
                    $"""
                    DELETE FROM access_tokens WHERE id = @id AND version = COALESCE(@version, version)
                    RETURNING {Columns}
                    """,
                    ("@id", id),
                    ("@version", version)),
                Read,
                Exists,
                id,
                AccessToken.Called(id)),
            cancellationToken);

    private static async Task<Result<RevealedToken>> AddAsync(
        DatabaseSession session, NewAccessToken token, TokenSecret secret)
    {
        var owner = token.Owner;
        if (owner.Robot is { } robot
            && await session.ScalarAsync(
                $"SELECT 1 FROM robots WHERE name = @name{session.ForKeyShare("robots")}", ("@name", robot.Value))
                is null)
            return OciError.Unknown(Robot.Called(robot));
        // One who is removed meanwhile must not leave a token for the next of that name.
        if (owner.User is { Provider: ProviderNames.Local } local
            && await session.ScalarAsync(
                $"SELECT 1 FROM users WHERE name = @name{session.ForKeyShare("users")}", ("@name", local.Key)) is null)
            return OciError.Unknown($"User '{local.Key}'");
        await using (var held = await Listing(session, owner, ("@after", ""), ("@limit", MaxPerOwner + 0L))
            .ExecuteReaderAsync())
        {
            var count = 0;
            while (await held.ReadAsync())
                count++;
            if (count == MaxPerOwner)
                return OciError.Denied($"There are {MaxPerOwner} tokens of this owner, no more can be: revoke some.");
        }

        var added = await VersionedRows.SingleAsync(
            session.Prepared(
                $"""
                INSERT INTO access_tokens
                    (id, robot, owner_provider, owner_key, description, scope, secret_hash, version, created_at,
                     expires_at)
                VALUES
                    (@id, @robot, @provider, @key, @description, @scope, @hash, 1, registry_now(), @expires)
                RETURNING {Columns}
                """,
                ("@id", secret.Id),
                ("@robot", owner.Robot?.Value),
                ("@provider", owner.User?.Provider),
                ("@key", owner.User?.Key),
                ("@description", token.Description),
                ("@scope", AccessRuleColumns.Scope(token.Scope)),
                ("@hash", secret.Hash),
                ("@expires", token.ExpiresAt?.ToUnixTimeMilliseconds())),
            Read);
        return new RevealedToken(added!, secret.Text);
    }

    private static DbCommand Listing(
        DatabaseSession session, TokenOwner? owner, params ReadOnlySpan<(string, object?)> page)
        => owner switch
        {
            { Robot: { } robot } => session.Prepared(
                $"""
                SELECT {Columns} FROM access_tokens
                WHERE robot = @robot AND id > @after ORDER BY id LIMIT @limit
                """,
                [("@robot", robot.Value), .. page]),
            { User: { } user } => session.Prepared(
                $"""
                SELECT {Columns} FROM access_tokens
                WHERE owner_provider = @provider AND owner_key = @key AND id > @after ORDER BY id LIMIT @limit
                """,
                [("@provider", user.Provider), ("@key", user.Key), .. page]),
            _ => session.Prepared(
                $"SELECT {Columns} FROM access_tokens WHERE id > @after ORDER BY id LIMIT @limit", page),
        };

    private static AccessToken Read(DbDataReader row) => new(
        row.GetString(0), ReadOwner(row), row.GetString(4), AccessRuleColumns.Scope(row.TextOrNull(5)),
        row.GetInt64(6), row.Time(7), row.TimeOrNull(8), row.TimeOrNull(9), row.TimeOrNull(10));

    // Columns 1 to 3 of both queries.
    private static TokenOwner ReadOwner(DbDataReader row)
        => row.TextOrNull(1) is { } robot
            ? TokenOwner.Of(RobotName.Parse(robot))
            : TokenOwner.Of(new AccountReference(row.GetString(2), row.GetString(3)));
}
