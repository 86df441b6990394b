using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access;

/// <summary>A place that knows users by their passwords.</summary>
public interface ICredentialVerifier
{
    /// <summary>
    /// Who it is. Refused alike, and after the same work, whether the user is unknown or the password wrong; refused as
    /// unavailable when it cannot be found out now.
    /// </summary>
    Task<Result<Principal>> VerifyAsync(string user, string password, CancellationToken cancellationToken);
}
