namespace Registry.Domain.Access;

/// <summary>Where to find a principal again, as it is later on.</summary>
/// <param name="Provider">The name of the provider that knows it.</param>
/// <param name="Key">
/// What the provider knows it by: the name of a user, or the id of a token; and, behind a line feed, by what else the
/// provider tells users apart who have one name after the other.
/// </param>
/// <param name="Mark">
/// Tells apart the secrets that the account has one after the other, and tells nothing of them: what was got with one
/// of them ends with it. Null where the provider does not tell, and where every secret will do.
/// </param>
public sealed record AccountReference(string Provider, string Key, string? Mark = null)
{
    /// <summary>The user's name, or the token's id.</summary>
    public string Name => Key.Split('\n', 2)[0];

    /// <summary>Whether that is this account, with the secret that this one names, if it names any.</summary>
    public bool Includes(AccountReference now)
        => (now.Provider, now.Key) == (Provider, Key) && (Mark is null || Mark == now.Mark);
}
