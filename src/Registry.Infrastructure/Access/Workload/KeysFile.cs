using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Registry.Infrastructure.Access.Jwt;

namespace Registry.Infrastructure.Access.Workload;

/// <summary>
/// Keys in a file, looked at again each second in which somebody asks. A file that cannot be used any more leaves in
/// force what was read before.
/// </summary>
internal sealed partial class KeysFile(string key, string path, TimeProvider time, ILogger logger) : IIssuerKeys
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private JwtKey[]? _keys;
    private byte[] _read = [];
    private string _problem = "";
    private long _looked;

    public JwtKey[]? Known
    {
        get
        {
            lock (_lock)
            {
                if (time.GetElapsedTime(_looked) < LookAgain)
                    return _keys;
                try
                {
                    Read();
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
                {
                    if (_problem != e.Message)
                        Log.NotReloaded(logger, path, e.Message);
                    _problem = e.Message; // told about once
                }

                return _keys;
            }
        }
    }

    public void Open()
    {
        try
        {
            lock (_lock)
                Read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new StartRefusedException(
                $"{key}:KeysFile is '{path}', which cannot be used ({e.Message.TrimEnd('.')}): name a file that the "
                + "server's user may read, with the issuer's JWK set.",
                e);
        }
    }

    public Task LookAgainAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        // Keys hold no more than memory.
    }

    private void Read()
    {
        _looked = time.GetTimestamp();
        var content = ReadBounded();
        var hash = SHA256.HashData(content);
        if (_keys is not null && hash.AsSpan().SequenceEqual(_read))
            return;
        var keys = KeySet.Parse(content);
        if (_keys is not null)
            Log.Reloaded(logger, path, keys.Length);
        (_keys, _read, _problem) = (keys, hash, "");
    }

    private byte[] ReadBounded()
    {
        using var file = File.OpenRead(path);
        var content = new byte[KeySet.MaxBytes + 1];
        var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        return length <= KeySet.MaxBytes
            ? content[..length]
            : throw new FormatException(FormattableString.Invariant($"it has more than {KeySet.MaxBytes >> 10} KiB"));
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "{Path} has changed and was read: {Keys} keys.")]
        public static partial void Reloaded(ILogger logger, string path, int keys);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "{Path} has changed and cannot be used ({Problem}): what was read before stays in force.")]
        public static partial void NotReloaded(ILogger logger, string path, string problem);
    }
}
