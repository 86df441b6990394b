using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Registry.Infrastructure.Access.Jwt;

namespace Registry.Infrastructure.Access.Workload;

/// <summary>
/// A JWK set (RFC 7517). Of its keys those count that RS256 or ES256 is checked with; others, and what is no key, are
/// passed over.
/// </summary>
internal static class KeySet
{
    public const int MaxBytes = 256 * 1024;

    private const int MaxKeys = 100;
    private const int MinRsaBits = 2048;
    private const int MaxRsaBits = 8192;

    /// <exception cref="FormatException">It is no JWK set, or has no key that counts.</exception>
    public static JwtKey[] Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind is not JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var listed)
                || listed.ValueKind is not JsonValueKind.Array || listed.GetArrayLength() > MaxKeys)
                throw new FormatException("it is no JWK set");
            JwtKey[] keys = [.. listed.EnumerateArray().Select(ToKey).OfType<JwtKey>()];
            return keys.Length > 0 ? keys : throw new FormatException("it has no key for RS256 or ES256");
        }
        catch (JsonException e)
        {
            throw new FormatException("it is no JWK set", e);
        }
    }

    private static JwtKey? ToKey(JsonElement jwk)
    {
        if (jwk.ValueKind is not JsonValueKind.Object
            || (jwk.TryGetProperty("use", out _) && JsonWebToken.Text(jwk, "use") != "sig")
            || (jwk.TryGetProperty("key_ops", out var uses) && !MayVerify(uses))
            || (jwk.TryGetProperty("kid", out _) && JsonWebToken.Text(jwk, "kid") is null))
            return null;
        var algorithm = jwk.TryGetProperty("alg", out _) ? JsonWebToken.Text(jwk, "alg") ?? "" : null;
        try
        {
            return (JsonWebToken.Text(jwk, "kty"), algorithm) switch
            {
                ("RSA", null or JwtKey.Rs256) => ToRsa(jwk),
                ("EC", null or JwtKey.Es256) when JsonWebToken.Text(jwk, "crv") == "P-256" => ToEc(jwk),
                _ => null,
            };
        }
        catch (Exception e) when (e is FormatException or CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    private static bool MayVerify(JsonElement uses)
        => uses.ValueKind is JsonValueKind.Array
            && uses.EnumerateArray().Any(use => JsonWebToken.Text(use) == "verify");

    private static JwtKey? ToRsa(JsonElement jwk)
    {
        var (modulus, exponent) = (Bytes(jwk, "n"), Bytes(jwk, "e"));
        if (modulus.Length > MaxRsaBits / 8 || exponent.Length is 0 or > 8)
            return null;
        var key = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
        if (key.KeySize >= MinRsaBits)
            return new(JsonWebToken.Text(jwk, "kid"), JwtKey.Rs256, key);
        key.Dispose();
        return null;
    }

    private static JwtKey ToEc(JsonElement jwk)
        => new(JsonWebToken.Text(jwk, "kid"), JwtKey.Es256, ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new() { X = Bytes(jwk, "x"), Y = Bytes(jwk, "y") },
        }));

    private static byte[] Bytes(JsonElement jwk, string name)
        => Base64Url.DecodeFromChars(JsonWebToken.Text(jwk, name) ?? throw new FormatException($"no {name}"));
}
