using System.Net;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access;

/// <summary>
/// Finds out who shows a user and password: the providers are asked in their order, and the first that has a user of
/// that name decides, so that nobody becomes somebody else's namesake. Who has failed often waits before the next try.
/// </summary>
public sealed class CredentialCheck(IEnumerable<IUserProvider> providers, LoginDelays delays)
{
    private readonly IUserProvider[] _providers = [.. providers];

    /// <param name="address">Where the request comes from.</param>
    /// <returns>
    /// Who it is. Refused alike, and after the same work, whether the user is unknown or the password wrong; refused as
    /// <see cref="ErrorReason.TooOften"/> while it has to wait, and as unavailable when it cannot be found out now.
    /// </returns>
    public async Task<Result<Principal>> VerifyAsync(
        string user, string password, IPAddress? address, CancellationToken cancellationToken)
    {
        if (!AccessSubject.IsName(user))
            return OciError.CredentialsWrong();
        foreach (var provider in _providers)
        {
            if (provider.Recall(user, password) is { } known)
                return known;
        }

        if (delays.WaitFor(user, address) is { } wait)
            return OciError.TooManyFailures(wait);
        foreach (var provider in _providers)
        {
            var verified = await provider.VerifyAsync(user, password, cancellationToken);
            if (!verified.TryGet(out var principal, out var errors))
            {
                if (errors[0].Reason is ErrorReason.Unauthenticated)
                    delays.Failed(user, address);
                return Result<Principal>.Refused(errors);
            }

            if (principal is not null)
            {
                delays.Succeeded(user, address);
                return principal;
            }
        }

        delays.Failed(user, address);
        return OciError.CredentialsWrong();
    }

    /// <summary>Who an account is now; null when it is gone, locked, or its provider is not asked any more.</summary>
    public ValueTask<Result<Principal?>> FindAsync(AccountReference account, CancellationToken cancellationToken)
    {
        foreach (var provider in _providers)
        {
            if (provider.Name == account.Provider)
                return provider.FindAsync(account.Key, cancellationToken);
        }

        return new(Result<Principal?>.Of(null));
    }
}
