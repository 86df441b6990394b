using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Registry.Infrastructure.Access.Local;

/// <summary>
/// Hashes of local users' passwords: PBKDF2 with HMAC-SHA512, 210,000 iterations and a salt of 128 bits.
/// </summary>
internal static class LocalPasswords
{
    private const int Iterations = 210_000;

    private static readonly object Nobody = new(); // whose password it is makes no difference to the hash

    private static readonly PasswordHasher<object> Hasher
        = new(Options.Create(new PasswordHasherOptions { IterationCount = Iterations }));

    private static readonly Lazy<string> AnyHash
        = new(() => Hash(Convert.ToHexString(RandomNumberGenerator.GetBytes(32))));

    /// <summary>A hash that nobody has the password of, as costly to check as any other.</summary>
    public static string Dummy => AnyHash.Value;

    /// <summary>Takes the processor for a tenth of a second.</summary>
    public static string Hash(string password) => Hasher.HashPassword(Nobody, password);

    /// <inheritdoc cref="Hash"/>
    public static bool Matches(string password, string hash)
        => Hasher.VerifyHashedPassword(Nobody, hash, password) is not PasswordVerificationResult.Failed;
}
