namespace Registry.Application.Access.Sessions;

/// <summary>What lives on after a sign-in: a principal's refresh and bearer tokens.</summary>
public interface ITokenSessions
{
    /// <summary>The newest refresh tokens that count now, newest first.</summary>
    /// <param name="principal">Its name, such as <c>user:alice</c>.</param>
    Task<IReadOnlyList<RefreshSession>> ListAsync(string principal, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Ends every refresh and bearer token that the principal has got up to now. Counts on this node when it returns,
    /// and within seconds on every other.
    /// </summary>
    /// <returns>How many refresh tokens there were.</returns>
    Task<int> RevokeAsync(string principal, CancellationToken cancellationToken);
}

/// <param name="Provider">Which provider has found the principal.</param>
/// <param name="Service">The host that the refresh token is for.</param>
public sealed record RefreshSession(
    string Provider, string Service, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt);
