using System.Security.Cryptography;

namespace Registry.Infrastructure.Access.Jwt;

/// <summary>
/// A public key that signatures are checked with. It has its algorithm (RFC 7518): a token never chooses one for it.
/// </summary>
/// <param name="Id">The <c>kid</c>; null when the key has none.</param>
/// <param name="Algorithm"><c>ES256</c> or <c>RS256</c>.</param>
internal sealed record JwtKey(string? Id, string Algorithm, AsymmetricAlgorithm Key)
{
    public const string Es256 = "ES256";
    public const string Rs256 = "RS256";

    /// <summary>Whether the signature is this key's over the data.</summary>
    public bool Verifies(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => Key switch
    {
        ECDsa key when Algorithm == Es256 => key.VerifyData(data, signature, HashAlgorithmName.SHA256),
        RSA key when Algorithm == Rs256
            => key.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        _ => false,
    };
}
