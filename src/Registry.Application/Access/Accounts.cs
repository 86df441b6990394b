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
            var earlier = await FindFirstAsync(_providers, i, now.Name, cancellationToken);
            return !earlier.TryGet(out var namesake, out var errors) ? Result<Principal?>.Refused(errors)
                : namesake is null ? found
                : Result<Principal?>.Of(null);
        }

        return Result<Principal?>.Of(null);
    }

    /// <summary>
    /// The user who signs in under that name, in today's groups, with its account. Refused when no provider knows one,
    /// when it is locked, or when that cannot be found out now.
    /// </summary>
    public async Task<Result<Principal>> FindUserAsync(string name, CancellationToken cancellationToken)
    {
        if (!AccessSubject.IsName(name))
            return OciError.Unknown(Called(name));
        var found = await FindFirstAsync(_providers, _providers.Length, name, cancellationToken);
        return !found.TryGet(out var user, out var errors) ? Result<Principal>.Refused(errors)
            : user is null ? OciError.Unknown(Called(name))
            : user.Now is { } now ? now
            : OciError.LockedOut(Called(name));
    }

    /// <summary>The user of that name at the first of the first <paramref name="count"/> that has one.</summary>
    internal static async ValueTask<Result<NamedUser?>> FindFirstAsync(
        IUserProvider[] providers, int count, string name, CancellationToken cancellationToken)
    {
        for (var i = 0; i < count; i++)
        {
            var found = await providers[i].FindUserAsync(name, cancellationToken);
            if (!found.TryGet(out var user, out _) || user is not null)
                return found;
        }

        return Result<NamedUser?>.Of(null);
    }

    private static string Called(string user) => $"User '{OciError.Shorten(user)}'";
}
