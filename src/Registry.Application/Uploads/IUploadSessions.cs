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
    /// Moves the session to <paramref name="offset"/> and renews its expiry. False, and nothing is changed, when the
    /// session is gone or no longer at <paramref name="session"/>'s version.
    /// </summary>
    Task<bool> AdvanceAsync(
        UploadSession session, long offset, DateTimeOffset expiresAt, CancellationToken cancellationToken);

    /// <summary>Ends the session, whoever writes to it. False when it was gone.</summary>
    Task<bool> RemoveAsync(RepositoryIdentity repository, UploadId id, CancellationToken cancellationToken);

    /// <summary>Up to <paramref name="limit"/> sessions that have expired.</summary>
    Task<IReadOnlyList<UploadSession>> ListExpiredAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Whether a session of that id is open in any repository.</summary>
    Task<bool> ExistsAsync(UploadId id, CancellationToken cancellationToken);
}
