using Registry.Domain.Access;

namespace Registry.Application.Access.AccessTokens;

/// <summary>
/// What is remembered of who has signed in with an access token: the token, and which of its secrets it was. What was
/// got with a secret ends with that secret, and not only with the token.
/// </summary>
public static class TokenAccount
{
    private const char Separator = '.';

    /// <param name="secretMark">Tells the token's secrets apart, and tells nothing of them.</param>
    public static AccountReference Of(string id, string secretMark)
        => new(ProviderNames.Token, $"{id}{Separator}{secretMark}");

    /// <summary>The token's id.</summary>
    public static string IdOf(string key) => key.Split(Separator, 2)[0];
}
