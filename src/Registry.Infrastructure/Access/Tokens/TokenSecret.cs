using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Registry.Infrastructure.Access.Tokens;

/// <summary>
/// What an access token looks like to its owner: <c>rgt_ID_SECRET</c>, an id of 80 bits that is no secret and a secret
/// of 256 bits, both in hex. Where it is kept there is only the SHA-256 of the secret: nobody guesses at 256 random
/// bits, so a costly hash would cost everybody but an attacker.
/// </summary>
internal sealed record TokenSecret
{
    private const string Prefix = "rgt_";
    private const int IdLength = 20;
    private const int SecretLength = 64;
    private const int Length = 4 + IdLength + 1 + SecretLength;

    private TokenSecret(string id, string secret)
        => (Id, Text, Hash) = (id, $"{Prefix}{id}_{secret}", SHA256.HashData(Convert.FromHexString(secret)));

    public string Id { get; }

    public string Text { get; }

    public byte[] Hash { get; }

    /// <summary>Whether a password is meant to be a token, well-formed or not.</summary>
    public static bool IsMeant(string password) => password.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Whether a token can have that id at all.</summary>
    public static bool IsId(string text) => text.Length == IdLength && IsHex(text);

    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdLength / 2));

    /// <summary>A new secret of the token with that id.</summary>
    public static TokenSecret New(string id)
        => new(id, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretLength / 2)));

    public static bool TryParse(string text, [NotNullWhen(true)] out TokenSecret? token)
    {
        const int Secret = Length - SecretLength;
        token = text.Length == Length && IsMeant(text) && text[Secret - 1] == '_'
            && IsHex(text.AsSpan(Prefix.Length, IdLength)) && IsHex(text.AsSpan(Secret))
                ? new(text.Substring(Prefix.Length, IdLength), text[Secret..])
                : null;
        return token is not null;
    }

    // Nothing of the secret, wherever it is printed.
    public override string ToString() => $"{Prefix}{Id}_…";

    private static bool IsHex(ReadOnlySpan<char> text)
    {
        foreach (var character in text)
        {
            if (!char.IsAsciiHexDigitLower(character))
                return false;
        }

        return true;
    }
}
