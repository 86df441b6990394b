using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access;

/// <summary>Finds users by their name, as whoever signs in under it would be found.</summary>
internal sealed class UserLookup(IEnumerable<IUserProvider> providers)
{
    /// <summary>
    /// The user of that name in today's groups, with its account. Refused when no provider knows one, or it cannot be
    /// found out now.
    /// </summary>
    public async Task<Result<Principal>> FindAsync(string user, CancellationToken cancellationToken)
    {
        if (!AccessSubject.IsName(user))
            return Unknown(user);
        var name = AccessSubject.User(user).Text;
        foreach (var provider in providers.Where(provider => provider.Name != ProviderNames.Token))
        {
            var found = await provider.FindAsync(user, cancellationToken);
            if (!found.TryGet(out var principal, out var errors))
                return Result<Principal>.Refused(errors);
            if (principal?.Account is not null && principal.Name == name)
                return principal;
        }

        return Unknown(user);
    }

    private static OciError Unknown(string user) => OciError.Unknown($"User '{OciError.Shorten(user)}'");
}
