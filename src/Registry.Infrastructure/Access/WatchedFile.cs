using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Registry.Infrastructure.Access;

/// <summary>
/// What a file says, looked at again each second in which somebody asks. A file that cannot be read any more, or is not
/// understood, leaves in force what was read before.
/// </summary>
/// <param name="key">The setting that names the file, for messages.</param>
/// <param name="fix">What can be done about a file that cannot be used, for messages.</param>
/// <param name="parse">Throws <see cref="FormatException"/> of what is not understood.</param>
/// <param name="count">How many things it has of what, for the log.</param>
internal sealed partial class WatchedFile<T>(
    string key, string path, string fix, int maxBytes, Func<byte[], T> parse, Func<T, string> count, TimeProvider time,
    ILogger logger)
    where T : class
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private T? _current;
    private byte[] _read = [];
    private string _problem = "";
    private long _looked;

    /// <summary>Reads the file for the first time, as a server does before it serves.</summary>
    /// <exception cref="StartRefusedException">It cannot be read or is not understood.</exception>
    public void Open()
    {
        lock (_lock)
            _current = ReadFirst();
    }

    // A command reads it when it needs it.
    private T ReadFirst()
    {
        try
        {
            var (content, _) = Read();
            var first = parse(content);
            (_read, _looked) = (SHA256.HashData(content), time.GetTimestamp());
            return first;
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw new StartRefusedException(
                $"{key} is '{path}', which cannot be used ({e.Message.TrimEnd('.')}): {fix}.", e);
        }
    }

    /// <summary>What it says now.</summary>
    /// <exception cref="StartRefusedException">It was never opened, and that fails.</exception>
    public T Current
    {
        get
        {
            lock (_lock)
            {
                if (_current is null)
                    return _current = ReadFirst();
                if (time.GetElapsedTime(_looked) < LookAgain)
                    return _current;
                _looked = time.GetTimestamp();
                try
                {
                    Refresh();
                }
                catch (Exception e) when (IsExpected(e))
                {
                    if (_problem != e.Message)
                        Log.NotReloaded(logger, path, e.Message);
                    _problem = e.Message; // told about once
                }

                return _current;
            }
        }
    }

    private static bool IsExpected(Exception e) => e is IOException or UnauthorizedAccessException or FormatException;

    // The content itself is compared: links that are turned to another file, and copies that keep their times, change
    // neither the length nor the time of what stands at the path.
    private void Refresh()
    {
        var (content, written) = Read();
        var hash = SHA256.HashData(content);
        if (hash.AsSpan().SequenceEqual(_read))
        {
            _problem = "";
            return;
        }

        // Somebody may be in the middle of writing it.
        var age = time.GetUtcNow() - written;
        if (age >= TimeSpan.Zero && age < LookAgain)
            return;
        _current = parse(content);
        (_read, _problem) = (hash, "");
        Log.Reloaded(logger, path, count(_current));
    }

    private (byte[] Content, DateTimeOffset Written) Read()
    {
        if (!File.Exists(path))
            throw new FileNotFoundException("there is no such file");
        using var file = File.OpenHandle(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        // One more than there is now: a file that grows meanwhile fills it.
        var content = new byte[Math.Min(RandomAccess.GetLength(file), maxBytes) + 1];
        var length = 0;
        for (int read; length < content.Length; length += read)
        {
            if ((read = RandomAccess.Read(file, content.AsSpan(length), length)) == 0)
                break;
        }

        if (length > maxBytes)
            throw new FormatException(FormattableString.Invariant($"it has more than {maxBytes >> 10} KiB"));
        return length < content.Length
            ? (content[..length], File.GetLastWriteTimeUtc(file))
            : throw new IOException("it is being written");
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "{Path} has changed and was read: {Count}.")]
        public static partial void Reloaded(ILogger logger, string path, string count);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "{Path} has changed and cannot be used ({Problem}): what was read before stays in force.")]
        public static partial void NotReloaded(ILogger logger, string path, string problem);
    }
}
