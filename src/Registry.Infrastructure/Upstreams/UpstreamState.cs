using Microsoft.Extensions.Logging;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Upstreams;

/// <summary>Whether an upstream is of use at the moment; the log is told when that changes.</summary>
internal sealed partial class UpstreamState(string registry, string upstream, ILogger logger)
{
    private int _failing;

    /// <summary>Takes note of what was answered.</summary>
    public Result<T> Observe<T>(Result<T> answer)
    {
        if (answer.TryGet(out _, out var errors) || errors[0].Reason is ErrorReason.NotFound)
        {
            if (Interlocked.Exchange(ref _failing, 0) != 0)
                Log.Recovered(logger, registry, upstream);
        }
        else if (Interlocked.Exchange(ref _failing, 1) == 0)
        {
            Log.Failing(logger, registry, errors[0].Message);
        }

        return answer;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Registry '{Registry}' lives on what it has: {Problem}")]
        public static partial void Failing(ILogger logger, string registry, string problem);

        [LoggerMessage(
            Level = LogLevel.Information, Message = "Registry '{Registry}' is answered by {Upstream} again.")]
        public static partial void Recovered(ILogger logger, string registry, string upstream);
    }
}
