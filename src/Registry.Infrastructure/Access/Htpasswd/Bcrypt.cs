using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Registry.Infrastructure.Access.Htpasswd;

/// <summary>bcrypt as the system's libcrypt computes it.</summary>
internal static class Bcrypt
{
    /// <summary>Doubles with each step: at 14, one password takes a second or two.</summary>
    public const int MaxCost = 14;

    private const int MinCost = 4;
    private const int DataBytes = 32768; // sizeof(struct crypt_data) of libxcrypt, for ever
    private const int SettingLength = 29; // $2y$10$ and 22 characters of salt
    private const int HashLength = 60;

    private static readonly SearchValues<char> Alphabet
        = SearchValues.Create("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

    private static readonly nint Function = FindFunction();

    /// <summary>Whether the text is a hash that can be checked here, of a cost that does not stop the server.</summary>
    public static bool IsHash(string text)
        => text.Length == HashLength
            && (text.StartsWith("$2y$", StringComparison.Ordinal) || text.StartsWith("$2b$", StringComparison.Ordinal)
                || text.StartsWith("$2a$", StringComparison.Ordinal))
            && text[6] == '$'
            && int.TryParse(text.AsSpan(4, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var cost)
            && cost is >= MinCost and <= MaxCost
            && text.AsSpan(7).IndexOfAnyExcept(Alphabet) < 0
            && ".Oeu".Contains(text[SettingLength - 1], StringComparison.Ordinal); // others libcrypt writes differently

    /// <summary>A hash that no password has, as costly to check as <paramref name="hash"/>.</summary>
    public static string Dummy(string hash) => $"$2y${hash[4..6]}$.....................u{new string('.', 31)}";

    /// <summary>
    /// Whether the hash is that of the password. Takes the processor for some hundredths of a second to some seconds,
    /// after the cost of the hash.
    /// </summary>
    /// <remarks>
    /// A password ends for bcrypt at its first NUL, and after 72 bytes: the first is refused, for it would let a prefix
    /// pass; the second is how the hash was made, too.
    /// </remarks>
    public static bool Matches(string password, string hash)
    {
        if (password.Contains('\0', StringComparison.Ordinal))
            return false;
        var computed = Hash(password, hash[..SettingLength]);
        return CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(computed), Encoding.ASCII.GetBytes(hash));
    }

    /// <summary>Whether the system has the library.</summary>
    public static bool IsAvailable()
        => Function != 0 && Hash("", "$2y$04$.....................u").StartsWith("$2y$04$", StringComparison.Ordinal);

    /// <summary>The hash of a password; something that begins with <c>*</c> when there is none.</summary>
    /// <param name="setting">Kind, cost and salt, the first 29 characters of a hash.</param>
    internal static unsafe string Hash(string password, string setting)
    {
        var data = NativeMemory.AllocZeroed(DataBytes);
        var key = Encoding.UTF8.GetBytes(password + '\0');
        try
        {
            fixed (byte* keyBytes = key)
            fixed (byte* settingBytes = Encoding.ASCII.GetBytes(setting + '\0'))
            {
                var crypt = (delegate* unmanaged<byte*, byte*, void*, int, byte*>)Function;
                return Marshal.PtrToStringUTF8((nint)crypt(keyBytes, settingBytes, data, DataBytes)) ?? "*";
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            NativeMemory.Clear(data, DataBytes); // it holds what the password was made into
            NativeMemory.Free(data);
        }
    }

    // crypt_rn is told how much room there is; the libcrypt of old C libraries, which wants more, does not have it.
    private static nint FindFunction()
    {
        foreach (var name in (string[])["libcrypt.so.1", "libcrypt.so.2"])
        {
            if (NativeLibrary.TryLoad(name, out var library)
                && NativeLibrary.TryGetExport(library, "crypt_rn", out var function))
                return function;
        }

        return 0;
    }
}
