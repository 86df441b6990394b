using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Local;

/// <summary>A local user as signing in needs it.</summary>
internal sealed record LocalAccount(string Hash, bool Enabled, Principal Principal)
{
    public static Principal PrincipalOf(string name, IReadOnlyCollection<string> groups)
        => Principal.User(name, groups) with { Account = new(ProviderNames.Local, name) };

    /// <summary>Null when there is no user of that name.</summary>
    public static async Task<LocalAccount?> FindAsync(
        DatabaseSession session, string name, CancellationToken cancellationToken)
    {
        var command = session.Prepared(
            """
            SELECT u.password_hash, u.enabled, m.group_name
            FROM users u LEFT JOIN group_members m ON m.user_name = u.name
            WHERE u.name = @name ORDER BY m.group_name
            """,
            ("@name", name));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken))
            return null;
        var (hash, enabled) = (row.GetString(0), row.GetInt64(1) != 0);
        var groups = new List<string>();
        do
        {
            if (!await row.IsDBNullAsync(2, cancellationToken))
                groups.Add(row.GetString(2));
        }
        while (await row.ReadAsync(cancellationToken));
        return new(hash, enabled, PrincipalOf(name, groups));
    }
}
