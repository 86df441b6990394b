using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Registry.Domain.Access;

namespace Registry.Infrastructure.Access.Htpasswd;

/// <summary>
/// The lines <c>user:hash</c> of a file, looked at again each second in which somebody asks. A file that cannot be read
/// any more, or has a line that is not understood, leaves in force what was read before.
/// </summary>
internal sealed partial class HtpasswdFile(string path, TimeProvider time, ILogger logger)
{
    private const int MaxBytes = 4 * 1024 * 1024;

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly Lock _lock = new();
    private IReadOnlyDictionary<string, string> _hashes = new Dictionary<string, string>(StringComparer.Ordinal);
    private byte[] _read = [];
    private string _problem = "";
    private long _looked;

    /// <summary>Reads the file for the first time.</summary>
    /// <exception cref="StartRefusedException">It cannot be read, or has a line that is not understood.</exception>
    public void Open()
    {
        try
        {
            lock (_lock)
            {
                var (content, _) = Read();
                _hashes = Parse(content);
                _read = SHA256.HashData(content);
                _looked = time.GetTimestamp();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new StartRefusedException(
                $"Registry:Access:Htpasswd:Path is '{path}', which cannot be used ({e.Message.TrimEnd('.')}): "
                + "name a file that the server's user may read, as htpasswd -B writes it.",
                e);
        }
    }

    /// <summary>The hashes by user, as the file has them now.</summary>
    public IReadOnlyDictionary<string, string> Hashes()
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_looked) < LookAgain)
                return _hashes;
            _looked = time.GetTimestamp();
            try
            {
                Refresh();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
            {
                if (_problem != e.Message)
                    Log.NotReloaded(logger, path, e.Message);
                _problem = e.Message; // told about once
            }

            return _hashes;
        }
    }

    // The content itself is compared: links that are turned to another file, and copies that keep their times, change
    // neither the length nor the time of what stands at the path.
    private void Refresh()
    {
        var (content, written) = Read();
        var hash = SHA256.HashData(content);
        if (hash.AsSpan().SequenceEqual(_read))
            return;
        // Somebody may be in the middle of writing it.
        var age = time.GetUtcNow() - written;
        if (age >= TimeSpan.Zero && age < LookAgain)
            return;
        _hashes = Parse(content);
        (_read, _problem) = (hash, "");
        Log.Reloaded(logger, path, _hashes.Count);
    }

    private (byte[] Content, DateTimeOffset Written) Read()
    {
        if (!File.Exists(path))
            throw new FileNotFoundException("there is no such file");
        using var file = File.OpenHandle(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        // One more than there is now: a file that grows meanwhile fills it.
        var content = new byte[Math.Min(RandomAccess.GetLength(file), MaxBytes) + 1];
        var length = 0;
        for (int read; length < content.Length; length += read)
        {
            if ((read = RandomAccess.Read(file, content.AsSpan(length), length)) == 0)
                break;
        }

        if (length > MaxBytes)
            throw new FormatException(FormattableString.Invariant($"it has more than {MaxBytes >> 20} MiB"));
        return length < content.Length
            ? (content[..length], File.GetLastWriteTimeUtc(file))
            : throw new IOException("it is being written");
    }

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

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "{Path} has changed and was read: {Users} users.")]
        public static partial void Reloaded(ILogger logger, string path, int users);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "{Path} has changed and cannot be used ({Problem}): what was read before stays in force.")]
        public static partial void NotReloaded(ILogger logger, string path, string problem);
    }
}
