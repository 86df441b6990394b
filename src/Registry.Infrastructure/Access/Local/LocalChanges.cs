using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Local;

/// <summary>What all changes of local users and groups do besides their own.</summary>
internal sealed class LocalChanges(RegistryDatabase database, AccessChanges changes)
{
    /// <summary>
    /// Runs a change in a transaction, one after another among all nodes, and returns when it counts here.
    /// </summary>
    public Task<Result<T>> WriteAsync<T>(
        Func<DatabaseSession, Task<Result<T>>> write, CancellationToken cancellationToken)
        => WriteAsync(write, ended: null, cancellationToken);

    /// <inheritdoc cref="WriteAsync{T}(Func{DatabaseSession, Task{Result{T}}}, CancellationToken)"/>
    /// <param name="ended">Whose tokens the change has ended with <see cref="RevokeAsync"/>; null for nobody.</param>
    public async Task<Result<T>> WriteAsync<T>(
        Func<DatabaseSession, Task<Result<T>>> write, AccountName? ended, CancellationToken cancellationToken)
    {
        // Rules that another node has changed just now decide who may administer, too.
        await changes.RefreshAsync(cancellationToken);
        var result = await database.WriteAsync(
            async session =>
            {
                await AccessChanges.AnnounceAsync(session); // its row stays locked until the end
                return await write(session);
            },
            durable: true,
            cancellationToken);
        // It is done: who has asked for it and gone away must not leave it half known.
        if (ended is not null && result.TryGet(out _, out _))
            await changes.RevokeWhatCameBetweenAsync(AccessSubject.User(ended.Value).Text);
        else
            await changes.RefreshAsync(CancellationToken.None);
        return result;
    }

    /// <inheritdoc cref="AccessChanges.RevokeAsync"/>
    public static Task RevokeAsync(DatabaseSession session, string user)
        => AccessChanges.RevokeAsync(session, AccessSubject.User(user).Text);

    /// <summary>
    /// Whether a change would leave no local user who may administer, where there is one now.
    /// </summary>
    /// <param name="afterwards">The groups of a user after the change; null when it cannot sign in any more.</param>
    public static async Task<bool> EndsAdministrationAsync(
        DatabaseSession session, Func<Principal, bool> administers,
        Func<string, IReadOnlyCollection<string>, IReadOnlyCollection<string>?> afterwards)
    {
        var administered = false;
        foreach (var (name, groups) in await ReadEnabledAsync(session))
        {
            if (!administers(LocalAccount.PrincipalOf(name, groups)))
                continue;
            administered = true;
            if (afterwards(name, groups) is { } left && administers(LocalAccount.PrincipalOf(name, left)))
                return false;
        }

        return administered;
    }

    private static async Task<Dictionary<string, List<string>>> ReadEnabledAsync(DatabaseSession session)
    {
        var users = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var command = session.Prepared(
            """
            SELECT u.name, m.group_name FROM users u LEFT JOIN group_members m ON m.user_name = u.name
            WHERE u.enabled = 1
            """);
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync())
        {
            var name = row.GetString(0);
            if (!users.TryGetValue(name, out var groups))
                users.Add(name, groups = []);
            if (!await row.IsDBNullAsync(1))
                groups.Add(row.GetString(1));
        }

        return users;
    }
}
