using Registry.Domain.Blobs;

namespace Registry.Infrastructure.Database;

/// <summary>
/// A digest as a column: one byte for the algorithm, then the hash, so that byte order is the order of the text.
/// </summary>
internal static class DigestColumn
{
    public static byte[] ToColumn(this Digest digest)
    {
        var hash = digest.ToHash();
        var column = new byte[hash.Length + 1];
        column[0] = digest.Algorithm == DigestAlgorithm.Sha256 ? (byte)1 : (byte)2;
        hash.CopyTo(column, 1);
        return column;
    }

    public static Digest ToDigest(this byte[] column) => Digest.FromHash(
        column[0] switch
        {
            1 => DigestAlgorithm.Sha256,
            2 => DigestAlgorithm.Sha512,
            _ => throw new InvalidDataException($"A digest column begins with the unknown algorithm {column[0]}."),
        },
        column.AsSpan(1));
}
