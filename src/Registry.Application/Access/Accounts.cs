using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access;

/// <summary>
/// Finds users again as they are now. A name belongs to the first of the providers that has a user called so: whoever
/// had it at a later one is nobody any more.
/// </summary>
public sealed class Accounts(IEnumerable<IUserProvider> providers)
{
    private readonly IUserProvider[] _providers = [.. providers];

    /// <summary>
    /// Who an account is now; null when it is gone, locked, has another secret, or its provider is not asked any more.
    /// Asked at every request with a bearer token.
    /// </summary>
    public async ValueTask<Result<Principal?>> FindAsync(
        AccountReference account, CancellationToken cancellationToken)
    {
        for (var i = 0; i < _providers.Length; i++)
        {
            if (_providers[i].Name != account.Provider)
                continue;
            var found = await _providers[i].FindAsync(account, cancellationToken);
            if (!found.TryGet(out var principal, out _) || principal?.Account is not { } now)
                return found;
            for (var earlier = 0; earlier < i; earlier++)
            {
                var other = await _providers[earlier].FindUserAsync(now.Name, cancellationToken);
                if (!other.TryGet(out var namesake, out var errors))
                    return Result<Principal?>.Refused(errors);
                if (namesake is not null)
                    return Result<Principal?>.Of(null);
            }

            return found;
        }

        return Result<Principal?>.Of(null);
    }

    /// <summary>
    /// The user who signs in under that name, in today's groups, with its account. Refused when no provider knows one,
    /// when it is locked, or when that cannot be found out now.
    /// </summary>
    public async Task<Result<Principal>> FindUserAsync(string name, CancellationToken cancellationToken)
    {
        foreach (var provider in AccessSubject.IsName(name) ? _providers : [])
        {
            var found = await provider.FindUserAsync(name, cancellationToken);
            if (!found.TryGet(out var user, out var errors))
                return Result<Principal>.Refused(errors);
            if (user is not null)
                return user.Now is { } now ? now : OciError.LockedOut(Called(name));
        }

        return OciError.Unknown(Called(name));
    }

    private static string Called(string user) => $"User '{OciError.Shorten(user)}'";
}
