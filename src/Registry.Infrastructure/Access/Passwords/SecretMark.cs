using System.Security.Cryptography;
using System.Text;

namespace Registry.Infrastructure.Access.Passwords;

/// <summary>Tells what is stored of secrets apart, and tells nothing of it: bearer tokens carry it.</summary>
internal static class SecretMark
{
    private const int Bytes = 8;

    public static string Of(string stored) => Of(Encoding.UTF8.GetBytes(stored));

    public static string Of(ReadOnlySpan<byte> stored)
        => Convert.ToHexStringLower(SHA256.HashData(stored).AsSpan(0, Bytes));
}
