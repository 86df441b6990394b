using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Registry.Domain.Blobs;

/// <summary>A registered digest algorithm (image-spec, "Registered algorithms"): sha256 or sha512.</summary>
public sealed class DigestAlgorithm
{
    public static readonly DigestAlgorithm Sha256 = new("sha256", HashAlgorithmName.SHA256, byteLength: 32);
    public static readonly DigestAlgorithm Sha512 = new("sha512", HashAlgorithmName.SHA512, byteLength: 64);

    private DigestAlgorithm(string name, HashAlgorithmName hash, int byteLength)
        => (Name, Hash, ByteLength) = (name, hash, byteLength);

    /// <summary>As it stands before the colon of a digest.</summary>
    public string Name { get; }

    public HashAlgorithmName Hash { get; }

    public int ByteLength { get; }

    public static bool TryParse(string? text, [NotNullWhen(true)] out DigestAlgorithm? algorithm)
    {
        algorithm = text switch { "sha256" => Sha256, "sha512" => Sha512, _ => null };
        return algorithm is not null;
    }

    public override string ToString() => Name;
}
