using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Registry.Testing;

/// <summary>Makes JSON Web Tokens of every kind, wrong ones too.</summary>
public static class Jwt
{
    public static string Of(string header, string claims, Func<byte[], byte[]> sign)
        => Sign($"{Encode(header)}.{Encode(claims)}", sign);

    /// <summary>Signs two parts as they stand.</summary>
    public static string Sign(string parts, Func<byte[], byte[]> sign)
        => $"{parts}.{Base64Url.EncodeToString(sign(Encoding.UTF8.GetBytes(parts)))}";

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public static string Decode(string part) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(part));

    public static Func<byte[], byte[]> Es256(ECDsa key) => data => key.SignData(data, HashAlgorithmName.SHA256);

    public static Func<byte[], byte[]> Rs256(RSA key)
        => data => key.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    public static Func<byte[], byte[]> Hs256(byte[] secret) => data => HMACSHA256.HashData(secret, data);

    public static byte[] Nothing(byte[] data) => [];
}
