using Registry.Application.Access.Sessions;

namespace Registry.Infrastructure.Database;

/// <inheritdoc cref="ITokenSessions"/>
internal sealed class StoredTokenSessions(RegistryDatabase database, AccessChanges changes) : ITokenSessions
{
    public Task<IReadOnlyList<RefreshSession>> ListAsync(
        string principal, int limit, CancellationToken cancellationToken)
        => database.ReadAsync(
            session => VersionedRows.AllAsync(
                session.Prepared(
                    """
                    SELECT provider, service, issued_at, expires_at FROM refresh_tokens
                    WHERE principal = @principal AND expires_at > registry_now()
                    ORDER BY issued_at DESC LIMIT @limit
                    """,
                    ("@principal", principal),
                    ("@limit", (long)limit)),
                row => new RefreshSession(row.GetString(0), row.GetString(1), row.Time(2), row.Time(3))),
            cancellationToken);

    public async Task<int> RevokeAsync(string principal, CancellationToken cancellationToken)
    {
        var revoked = await changes.ChangeAsync<int>(
            async session => await AccessChanges.RevokeAsync(session, principal), cancellationToken);
        await changes.RevokeWhatCameBetweenAsync(principal);
        return revoked.Match(
            count => count,
            errors => throw new InvalidOperationException($"Nothing was revoked: {errors[0].Message}"));
    }
}
