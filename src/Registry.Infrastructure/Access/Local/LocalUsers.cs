using Dapper;
using Registry.Application.Access;
using Registry.Application.Access.Users;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Local;

/// <inheritdoc cref="ILocalUsers"/>
internal sealed class LocalUsers(RegistryDatabase database, LocalChanges changes) : ILocalUsers
{
    private const string Columns = "name, enabled, version, created_at AS CreatedAt, updated_at AS UpdatedAt";

    public Task<LocalUser?> FindAsync(AccountName name, CancellationToken cancellationToken)
        => database.ReadAsync(session => FindAsync(session, name), cancellationToken);

    public Task<Page<LocalUser>> ListAsync(UserFilter filter, PageRequest page, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session =>
            {
                var rows = await session.Connection.QueryAsync<Row>(
                    $"""
                    SELECT {Columns} FROM users
                    WHERE name > @after AND name >= @prefix AND name < @behind
                        AND enabled >= @least AND enabled <= @most
                    ORDER BY name LIMIT @limit
                    """,
                    new
                    {
                        after = page.After ?? "",
                        prefix = filter.Prefix,
                        behind = filter.Prefix + '\u007f', // behind every character of a name
                        least = filter.Enabled is true ? 1L : 0L,
                        most = filter.Enabled is false ? 0L : 1L,
                        limit = page.Size + 1L,
                    });
                var found = Page<Row>.Of([.. rows], page.Size);
                var groups = await GroupsAsync(session, found.Items);
                return new Page<LocalUser>([.. found.Items.Select(row => row.ToUser(groups[row.Name]))], found.More);
            },
            cancellationToken);

    public async Task<Result<LocalUser>> AddAsync(
        AccountName name, string password, bool enabled, CancellationToken cancellationToken)
    {
        var hash = await HashAsync(password);
        return await changes.WriteAsync(session => AddAsync(session, name, hash, enabled), cancellationToken);
    }

    public async Task<Result<LocalUser>> ChangeAsync(
        AccountName name, UserChange change, long? version, Func<Principal, bool> administers,
        CancellationToken cancellationToken)
    {
        var hash = change.Password is { } password ? await HashAsync(password) : null;
        return await changes.WriteAsync(
            session => ChangeAsync(session, name, hash, change.Enabled, version, administers),
            ended: hash is not null || change.Enabled is false ? name : null,
            cancellationToken);
    }

    public Task<Result<LocalUser>> DeleteAsync(
        AccountName name, long? version, Func<Principal, bool> administers, CancellationToken cancellationToken)
        => changes.WriteAsync(
            session => DeleteAsync(session, name, version, administers), ended: name, cancellationToken);

    /// <summary>Adds a user within a change.</summary>
    public static async Task<Result<LocalUser>> AddAsync(
        DatabaseSession session, AccountName name, string hash, bool enabled)
    {
        // Whoever takes this one away again wants none made by the next start.
        await session.ExecuteAsync("UPDATE access_changes SET first_admin = 1 WHERE first_admin = 0");
        // The version begins with the time: no namesake that is made later ever has one that was seen before.
        var added = await session.ExecuteAsync(
            """
            INSERT INTO users (name, password_hash, enabled, version, created_at, updated_at)
            VALUES (@name, @hash, @enabled, registry_now(), registry_now(), registry_now())
            ON CONFLICT (name) DO NOTHING
            """,
            ("@name", name.Value),
            ("@hash", hash),
            ("@enabled", enabled ? 1L : 0L));
        return added > 0 ? (await FindAsync(session, name))! : OciError.Exists($"User '{name}'");
    }

    private static async Task<Result<LocalUser>> ChangeAsync(
        DatabaseSession session, AccountName name, string? hash, bool? enabled, long? version,
        Func<Principal, bool> administers)
    {
        if (await FindAsync(session, name) is not { } user)
            return OciError.Unknown($"User '{name}'");
        if (version is not null && version != user.Version)
            return OciError.Changed($"User '{name}'");
        var locksOut = user.Enabled && enabled is false;
        if (locksOut && await IsLastAsync(session, user, administers))
            return OciError.LastAdministrator($"disable user '{name}'");

        await session.ExecuteAsync(
            """
            UPDATE users SET password_hash = COALESCE(@hash, password_hash), enabled = @enabled, version = version + 1,
                updated_at = registry_now()
            WHERE name = @name
            """,
            ("@name", name.Value),
            ("@hash", hash),
            ("@enabled", (enabled ?? user.Enabled) ? 1L : 0L));
        if (hash is not null || locksOut)
            await LocalChanges.RevokeAsync(session, name.Value);
        return (await FindAsync(session, name))!;
    }

    private static async Task<Result<LocalUser>> DeleteAsync(
        DatabaseSession session, AccountName name, long? version, Func<Principal, bool> administers)
    {
        if (await FindAsync(session, name) is not { } user)
            return OciError.Unknown($"User '{name}'");
        if (version is not null && version != user.Version)
            return OciError.Changed($"User '{name}'");
        if (user.Enabled && await IsLastAsync(session, user, administers))
            return OciError.LastAdministrator($"remove user '{name}'");

        await LocalChanges.RevokeAsync(session, name.Value);
        // They would be a namesake's otherwise.
        await session.ExecuteAsync(
            "DELETE FROM access_tokens WHERE owner_provider = @provider AND owner_key = @name",
            ("@provider", ProviderNames.Local),
            ("@name", name.Value));
        await session.ExecuteAsync("DELETE FROM users WHERE name = @name", ("@name", name.Value));
        return user;
    }

    private static async Task<bool> IsLastAsync(
        DatabaseSession session, LocalUser user, Func<Principal, bool> administers)
        => administers(LocalAccount.PrincipalOf(user.Name, user.Groups))
            && await LocalChanges.EndsAdministrationAsync(
                session, administers, (name, groups) => name == user.Name ? null : groups);

    private static async Task<LocalUser?> FindAsync(DatabaseSession session, AccountName name)
    {
        var row = await session.Connection.QuerySingleOrDefaultAsync<Row>(
            $"SELECT {Columns} FROM users WHERE name = @Value", new { name.Value });
        return row is null ? null : row.ToUser((await GroupsAsync(session, [row]))[row.Name]);
    }

    private static async Task<ILookup<string, string>> GroupsAsync(DatabaseSession session, IReadOnlyList<Row> users)
    {
        var rows = users.Count == 0
            ? []
            : await session.Connection.QueryAsync<(string User, string Group)>(
                """
                SELECT user_name, group_name FROM group_members
                WHERE user_name >= @first AND user_name <= @last ORDER BY user_name, group_name
                """,
                new { first = users[0].Name, last = users[^1].Name });
        return rows.ToLookup(row => row.User, row => row.Group, StringComparer.Ordinal);
    }

    private static Task<string> HashAsync(string password) => Task.Run(() => LocalPasswords.Hash(password));

    private sealed record Row(string Name, long Enabled, long Version, long CreatedAt, long UpdatedAt)
    {
        public LocalUser ToUser(IEnumerable<string> groups) => new(
            Name, Enabled != 0, [.. groups], Version,
            DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt));
    }
}
