using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Registry.Domain.Manifests;

namespace Registry.Domain.Blobs;

/// <summary>
/// A content address, <c>algorithm:hex</c> with lower-case hex digits, always well-formed (image-spec, "Digests").
/// </summary>
public sealed record Digest : Reference
{
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    private readonly string _text;

    private Digest(DigestAlgorithm algorithm, string text) => (Algorithm, _text) = (algorithm, text);

    public DigestAlgorithm Algorithm { get; }

    /// <summary>The part behind the colon.</summary>
    public string Hex => _text[(Algorithm.Name.Length + 1)..];

    public static bool TryParse(string? text, [NotNullWhen(true)] out Digest? digest)
    {
        digest = null;
        if (text is null || text.IndexOf(':', StringComparison.Ordinal) is var colon && colon < 0)
            return false;
        if (!DigestAlgorithm.TryParse(text[..colon], out var algorithm))
            return false;

        var hex = text.AsSpan(colon + 1);
        if (hex.Length != algorithm.ByteLength * 2 || hex.ContainsAnyExcept(LowerHex))
            return false;

        digest = new(algorithm, text);
        return true;
    }

    public static new Digest Parse(string text)
        => TryParse(text, out var digest) ? digest : throw new FormatException($"'{text}' is not a digest.");

    /// <summary>The digest whose value is <paramref name="hash"/>, which has the algorithm's length.</summary>
    public static Digest FromHash(DigestAlgorithm algorithm, ReadOnlySpan<byte> hash)
        => hash.Length == algorithm.ByteLength
            ? new(algorithm, $"{algorithm.Name}:{Convert.ToHexStringLower(hash)}")
            : throw new ArgumentException(
                $"{algorithm} has {algorithm.ByteLength} bytes, not {hash.Length}.", nameof(hash));

    /// <summary>The digest of <paramref name="content"/>.</summary>
    public static Digest Of(ReadOnlySpan<byte> content, DigestAlgorithm algorithm)
        => FromHash(algorithm, CryptographicOperations.HashData(algorithm.Hash, content));

    /// <summary>The hash itself, without the algorithm.</summary>
    public byte[] ToHash() => Convert.FromHexString(_text.AsSpan(Algorithm.Name.Length + 1));

    public bool Equals(Digest? other) => other is not null && _text == other._text;

    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => _text;
}
