using Dapper;
using Registry.Application.Access.Groups;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Local;

/// <inheritdoc cref="ILocalGroups"/>
internal sealed class LocalGroups(RegistryDatabase database, LocalChanges changes) : ILocalGroups
{
    private const string Columns = "name, description, version, created_at AS CreatedAt, updated_at AS UpdatedAt";

    public Task<LocalGroup?> FindAsync(AccountName name, CancellationToken cancellationToken)
        => database.ReadAsync(session => FindAsync(session, name), cancellationToken);

    public Task<Page<LocalGroup>> ListAsync(string prefix, PageRequest page, CancellationToken cancellationToken)
        => database.ReadAsync(
            async session =>
            {
                var rows = await session.Connection.QueryAsync<Row>(
                    $"""
                    SELECT {Columns} FROM user_groups
                    WHERE name > @after AND name >= @prefix AND name < @behind ORDER BY name LIMIT @limit
                    """,
                    new { after = page.After ?? "", prefix, behind = prefix + '\u007f', limit = page.Size + 1L });
                return Page<LocalGroup>.Of([.. rows.Select(row => row.ToGroup())], page.Size);
            },
            cancellationToken);

    public Task<Result<LocalGroup>> AddAsync(
        AccountName name, string description, CancellationToken cancellationToken)
        => changes.WriteAsync(session => AddAsync(session, name, description), cancellationToken);

    public Task<Result<LocalGroup>> DescribeAsync(
        AccountName name, string description, long? version, CancellationToken cancellationToken)
        => changes.WriteAsync(session => DescribeAsync(session, name, description, version), cancellationToken);

    public Task<Result<LocalGroup>> DeleteAsync(
        AccountName name, long? version, Func<Principal, bool> administers, CancellationToken cancellationToken)
        => changes.WriteAsync(session => DeleteAsync(session, name, version, administers), cancellationToken);

    public Task<Result<Page<string>>> ListMembersAsync(
        AccountName name, PageRequest page, CancellationToken cancellationToken)
        => database.ReadAsync<Result<Page<string>>>(
            async session =>
            {
                var members = await session.Connection.QueryAsync<string>(
                    """
                    SELECT user_name FROM group_members WHERE group_name = @Value AND user_name > @after
                    ORDER BY user_name LIMIT @limit
                    """,
                    new { name.Value, after = page.After ?? "", limit = page.Size + 1L });
                var found = Page<string>.Of([.. members], page.Size);
                return found.Items.Count > 0 || await FindAsync(session, name) is not null ? found : Unknown(name);
            },
            cancellationToken);

    public Task<Result<LocalGroup>> JoinAsync(
        AccountName name, AccountName user, CancellationToken cancellationToken)
        => changes.WriteAsync(session => JoinAsync(session, name, user), cancellationToken);

    public Task<Result<LocalGroup>> LeaveAsync(
        AccountName name, AccountName user, Func<Principal, bool> administers, CancellationToken cancellationToken)
        => changes.WriteAsync(session => LeaveAsync(session, name, user, administers), cancellationToken);

    private static async Task<Result<LocalGroup>> AddAsync(
        DatabaseSession session, AccountName name, string description)
    {
        var added = await session.ExecuteAsync(
            """
            INSERT INTO user_groups (name, description, version, created_at, updated_at)
            VALUES (@name, @description, registry_now(), registry_now(), registry_now())
            ON CONFLICT (name) DO NOTHING
            """,
            ("@name", name.Value),
            ("@description", description));
        return added > 0 ? (await FindAsync(session, name))! : OciError.Exists($"Group '{name}'");
    }

    private static async Task<Result<LocalGroup>> DescribeAsync(
        DatabaseSession session, AccountName name, string description, long? version)
    {
        if (await FindAsync(session, name) is not { } group)
            return Unknown(name);
        if (version is not null && version != group.Version)
            return OciError.Changed($"Group '{name}'");
        await session.ExecuteAsync(
            """
            UPDATE user_groups SET description = @description, version = version + 1, updated_at = registry_now()
            WHERE name = @name
            """,
            ("@name", name.Value),
            ("@description", description));
        return (await FindAsync(session, name))!;
    }

    private static async Task<Result<LocalGroup>> DeleteAsync(
        DatabaseSession session, AccountName name, long? version, Func<Principal, bool> administers)
    {
        if (await FindAsync(session, name) is not { } group)
            return Unknown(name);
        if (version is not null && version != group.Version)
            return OciError.Changed($"Group '{name}'");
        var ends = await LocalChanges.EndsAdministrationAsync(
            session, administers, (_, groups) => [.. groups.Where(other => other != group.Name)]);
        if (ends)
            return OciError.LastAdministrator($"remove group '{name}'");
        await session.ExecuteAsync("DELETE FROM user_groups WHERE name = @name", ("@name", name.Value));
        return group;
    }

    private static async Task<Result<LocalGroup>> JoinAsync(
        DatabaseSession session, AccountName name, AccountName user)
    {
        if (await FindMembershipAsync(session, name, user) is { } refusal)
            return refusal;
        await session.ExecuteAsync(
            """
            INSERT INTO group_members (user_name, group_name) VALUES (@user, @group)
            ON CONFLICT (user_name, group_name) DO NOTHING
            """,
            ("@user", user.Value),
            ("@group", name.Value));
        return (await FindAsync(session, name))!;
    }

    private static async Task<Result<LocalGroup>> LeaveAsync(
        DatabaseSession session, AccountName name, AccountName user, Func<Principal, bool> administers)
    {
        if (await FindMembershipAsync(session, name, user) is { } refusal)
            return refusal;
        var ends = await LocalChanges.EndsAdministrationAsync(
            session,
            administers,
            (member, groups) => member == user.Value ? [.. groups.Where(other => other != name.Value)] : groups);
        if (ends)
            return OciError.LastAdministrator($"take user '{user}' out of group '{name}'");
        await session.ExecuteAsync(
            "DELETE FROM group_members WHERE user_name = @user AND group_name = @group",
            ("@user", user.Value),
            ("@group", name.Value));
        return (await FindAsync(session, name))!;
    }

    // Why the user can neither be in the group nor out of it; null when both are there.
    private static async Task<OciError?> FindMembershipAsync(
        DatabaseSession session, AccountName name, AccountName user)
        => await FindAsync(session, name) is null ? Unknown(name)
            : await session.ScalarAsync("SELECT 1 FROM users WHERE name = @name", ("@name", user.Value)) is null
                ? OciError.Unknown($"User '{user}'")
            : null;

    private static async Task<LocalGroup?> FindAsync(DatabaseSession session, AccountName name)
        => (await session.Connection.QuerySingleOrDefaultAsync<Row>(
            $"SELECT {Columns} FROM user_groups WHERE name = @Value", new { name.Value }))?.ToGroup();

    private static OciError Unknown(AccountName name) => OciError.Unknown($"Group '{name}'");

    private sealed record Row(string Name, string Description, long Version, long CreatedAt, long UpdatedAt)
    {
        public LocalGroup ToGroup() => new(
            Name, Description, Version,
            DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt));
    }
}
