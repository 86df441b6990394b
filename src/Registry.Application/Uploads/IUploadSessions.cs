using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Application.Uploads;

/// <summary>The open upload sessions. Expired ones are as good as gone.</summary>
public interface IUploadSessions
{
    Task StartAsync(UploadSession session, CancellationToken cancellationToken);

    /// <summary>The session as it stands; null when there is none of that id in that repository.</summary>
    Task<UploadSession?> FindAsync(RepositoryIdentity repository, UploadId id, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a session for one writer, before its first byte, against every other request on every node. Null while
    /// another one has it, and when <paramref name="owner"/> has no such session in the repository.
    /// </summary>
    Task<IUploadClaim?> ClaimAsync(
        RepositoryIdentity repository, string owner, UploadId id, CancellationToken cancellationToken);

    /// <summary>
    /// Moves the session to where <paramref name="appended"/> ends, keeps its state and renews its expiry. False, and
    /// nothing is changed, when the session is gone or no longer at <paramref name="session"/>'s version. A claim ends
    /// with it.
    /// </summary>
    Task<bool> AdvanceAsync(
        UploadSession session, AppendedBytes appended, DateTimeOffset expiresAt, CancellationToken cancellationToken);

    /// <summary>
    /// Ends the owner's session, whoever writes to it, and returns it as it stood; null when there was none.
    /// </summary>
    Task<UploadSession?> RemoveAsync(
        RepositoryIdentity repository, string owner, UploadId id, CancellationToken cancellationToken);

    /// <summary>Up to <paramref name="limit"/> sessions that have expired, the oldest first.</summary>
    Task<IReadOnlyList<UploadSession>> ListExpiredAsync(int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Ends a session that has expired and that nobody writes to, and returns it as it stood; null when it is gone, has
    /// been renewed or is claimed.
    /// </summary>
    Task<UploadSession?> RemoveExpiredAsync(UploadId id, CancellationToken cancellationToken);

    /// <summary>Whether a session of that id is open in any repository.</summary>
    Task<bool> ExistsAsync(UploadId id, CancellationToken cancellationToken);
}

/// <summary>
/// A session that one request has for itself until it disposes the claim. It is kept up while the request runs; when
/// its node dies, it runs out.
/// </summary>
public interface IUploadClaim : IAsyncDisposable
{
    /// <summary>As it stood when it was claimed.</summary>
    UploadSession Session { get; }

    /// <summary>
    /// Cancelled once another request may have the session: bytes that are still on their way do not count.
    /// </summary>
    CancellationToken Lost { get; }

    /// <summary>
    /// Says that the session was changed at the claimed version. That has ended the claim: disposing costs nothing.
    /// </summary>
    void Settle();
}
