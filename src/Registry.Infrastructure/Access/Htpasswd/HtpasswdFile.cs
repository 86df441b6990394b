using System.Text;
using Microsoft.Extensions.Logging;
using Registry.Domain.Access;

namespace Registry.Infrastructure.Access.Htpasswd;

/// <summary>The lines <c>user:hash</c> of a file, as it has them now.</summary>
internal sealed class HtpasswdFile(string path, TimeProvider time, ILogger logger)
{
    private const int MaxBytes = 4 * 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly WatchedFile<Dictionary<string, string>> _file = new(
        "Registry:Access:Htpasswd:Path", path, "name a file that the server's user may read, as htpasswd -B writes it",
        MaxBytes, Parse, hashes => FormattableString.Invariant($"{hashes.Count} users"), time, logger);

    /// <summary>Reads the file for the first time.</summary>
    /// <exception cref="StartRefusedException">It cannot be read, or has a line that is not understood.</exception>
    public void Open() => _file.Open();

    /// <summary>The hashes by user.</summary>
    public IReadOnlyDictionary<string, string> Hashes() => _file.Current;

    private static Dictionary<string, string> Parse(byte[] content)
    {
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in Decode(content).Split('\n'))
        {
            number++;
            var entry = line.TrimEnd();
            if (entry.Length == 0 || entry[0] == '#')
                continue;
            var colon = entry.IndexOf(':', StringComparison.Ordinal);
            var (user, hash) = colon > 0 ? (entry[..colon], entry[(colon + 1)..]) : ("", "");
            if (!AccessSubject.IsName(user))
                throw Wrong("is not user:hash");
            if (!Bcrypt.IsHash(hash))
            {
                throw Wrong(FormattableString.Invariant(
                    $"has no bcrypt hash of a cost up to {Bcrypt.MaxCost} for '{user}'"));
            }

            if (!hashes.TryAdd(user, hash))
                throw Wrong($"has '{user}' again");
        }

        return hashes;

        FormatException Wrong(string what) => new(FormattableString.Invariant($"line {number} {what}"));
    }

    private static string Decode(byte[] content)
    {
        try
        {
            return Strict.GetString(content);
        }
        catch (DecoderFallbackException e)
        {
            throw new FormatException("it is not in UTF-8", e);
        }
    }
}
