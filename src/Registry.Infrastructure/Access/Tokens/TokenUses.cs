using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Tokens;

/// <summary>
/// Remembers when tokens were used, and writes it down once a minute for all of them together: no request waits for it,
/// and a token that is used a thousand times a minute costs one write. What the process has not written when it is
/// killed is forgotten.
/// </summary>
internal sealed partial class TokenUses(RegistryDatabase database, TimeProvider time, ILogger<TokenUses> logger)
    : DeferredWrites(TimeSpan.FromMinutes(1), time)
{
    private const int MaxBatch = 500;

    private readonly TimeProvider _time = time;
    private readonly ConcurrentDictionary<string, long> _uses = new(StringComparer.Ordinal);

    public void Note(string id) => _uses[id] = _time.GetUtcNow().ToUnixTimeMilliseconds();

    public override async Task WriteAsync(CancellationToken cancellationToken)
    {
        // In one order on every node, so that two that write the same tokens wait for one another in no circle.
        foreach (var batch in _uses.ToArray().OrderBy(use => use.Key, StringComparer.Ordinal).Chunk(MaxBatch))
        {
            await database.WriteAsync(
                session => session.ForEachAsync(
                    """
                    UPDATE access_tokens SET last_used_at = @at
                    WHERE id = @id AND (last_used_at IS NULL OR last_used_at < @at) RETURNING id
                    """,
                    batch,
                    use => [("@at", use.Value), ("@id", use.Key)],
                    CancellationToken.None),
                durable: false,
                cancellationToken);
            foreach (var use in batch)
                _uses.TryRemove(use); // unless it was used again meanwhile
        }
    }

    protected override void TellFailing(string problem) => Log.NotWritten(logger, problem);

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Warning, Message = "When access tokens were used cannot be written down ({Problem}).")]
        public static partial void NotWritten(ILogger logger, string problem);
    }
}
