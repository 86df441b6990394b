using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Access.Jwt;

/// <summary>
/// JSON Web Tokens (RFC 7519) in the one form there is here: signed (RFC 7515, compact), with a key that was known
/// before the token came. What a token's header says of keys (<c>jwk</c>, <c>jku</c>, <c>x5u</c>, <c>x5c</c>) is
/// refused unread.
/// </summary>
internal static class JsonWebToken
{
    public const int MaxLength = 8192;

    private const int MaxDepth = 8;

    private static readonly string[] KeysInHeader = ["jwk", "jku", "x5u", "x5c", "crit"];

    /// <summary>Signs the claims that <paramref name="claims"/> writes, with ES256.</summary>
    public static string Sign(string keyId, ECDsa key, Action<Utf8JsonWriter> claims)
    {
        var header = Encode(json =>
        {
            json.WriteString("alg", JwtKey.Es256);
            json.WriteString("typ", "JWT");
            json.WriteString("kid", keyId);
        });
        var signed = $"{header}.{Encode(claims)}";
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>The claims, once one of the keys has signed them. Who calls it judges what they say.</summary>
    /// <param name="keys">The keys that may have signed a token with that <c>kid</c> (null when it names none).</param>
    public static Result<JsonElement> Read(string token, Func<string?, IEnumerable<JwtKey>> keys)
    {
        if (token.Length > MaxLength)
            return OciError.TokenInvalid("is too long");
        var parts = token.Split('.');
        if (parts.Length != 3)
            return OciError.TokenInvalid("is no signed JSON Web Token");
        if (Decode(parts[0]) is not { } header || Decode(parts[1]) is not { } claims
            || !TryDecode(parts[2], out var signature))
            return OciError.TokenInvalid("cannot be read");

        if (Array.Find(KeysInHeader, name => header.TryGetProperty(name, out _)) is { } unwanted)
            return OciError.TokenInvalid($"has '{unwanted}' in its header, which is not accepted");
        // A kid that is there and no text names no key; one that is left out lets any key be tried.
        if (header.TryGetProperty("kid", out _) && Text(header, "kid") is null)
            return OciError.TokenInvalid("cannot be read");
        var algorithm = Text(header, "alg");
        var signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
        foreach (var key in keys(Text(header, "kid")))
        {
            if (key.Algorithm == algorithm && key.Verifies(signed, signature))
                return claims;
        }

        return OciError.TokenInvalid("is signed by no key that counts here");
    }

    /// <summary>
    /// Whose token it says to be, which nobody has verified: good to choose keys by and for nothing else. Null when it
    /// is no signed token, or does not say so.
    /// </summary>
    public static string? IssuerOf(string token)
        => token.Length <= MaxLength && token.Split('.', 4) is { Length: 3 } parts && Decode(parts[1]) is { } claims
            ? Text(claims, "iss")
            : null;

    /// <summary>A claim of text; null when it is missing or something else.</summary>
    public static string? Text(JsonElement claims, string name)
        => claims.TryGetProperty(name, out var value) ? Text(value) : null;

    /// <summary>What a JSON string says; null of any other value.</summary>
    public static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException) // half a surrogate pair, or bytes that are no UTF-8
        {
            return null;
        }
    }

    /// <summary>
    /// A claim that is a date in seconds since 1970, to the millisecond; null when it is missing or out of range.
    /// </summary>
    public static DateTimeOffset? Time(JsonElement claims, string name)
        => claims.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number
            && value.TryGetDouble(out var seconds) && seconds is >= 0 and < 253402300799 // the year 9999
                ? DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Round(seconds * 1000))
                : null;

    /// <summary>Whether <c>aud</c>, a text or a list of them, names the audience.</summary>
    public static bool IsFor(JsonElement claims, string audience)
        => claims.TryGetProperty("aud", out var value) && value.ValueKind switch
        {
            JsonValueKind.String => Text(value) == audience,
            JsonValueKind.Array => value.EnumerateArray().Any(item => Text(item) == audience),
            _ => false,
        };

    private static string Encode(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return Base64Url.EncodeToString(buffer.WrittenSpan);
    }

    // A name that stands twice could mean one thing here and another to who wrote it.
    private static JsonElement? Decode(string part)
    {
        if (!TryDecode(part, out var bytes))
            return null;
        try
        {
            using var document = JsonDocument.Parse(
                bytes, new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind is JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null; // the second one is about names that are no text
        }
    }

    // One text for each value: what does not come out again as it went in would be another token of the same meaning.
    private static bool TryDecode(string part, out byte[] bytes)
    {
        bytes = [];
        if (part.Contains('=', StringComparison.Ordinal) || part.Any(char.IsWhiteSpace) || !Base64Url.IsValid(part))
            return false;
        try
        {
            bytes = Base64Url.DecodeFromChars(part);
        }
        catch (FormatException)
        {
            return false;
        }

        return Base64Url.EncodeToString(bytes) == part;
    }
}
