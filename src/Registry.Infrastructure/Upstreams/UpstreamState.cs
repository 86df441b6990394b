using Microsoft.Extensions.Logging;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Upstreams;

/// <summary>Whether an upstream is of use at the moment; the log is told when that changes.</summary>
internal sealed partial class UpstreamState(string registry, string upstream, ILogger logger)
{
    private const int Answers = 0;
    private const int Fails = 1;
    private const int Denies = 2;

    private int _state;

    /// <summary>Takes note of what was answered.</summary>
    public Result<T> Observe<T>(Result<T> answer)
    {
        var error = answer.TryGet(out _, out var errors) ? null : errors[0];
        var state = error switch
        {
            null => Answers,
            { Reason: ErrorReason.NotFound } => error.MayExist ? Denies : Answers,
            _ => Fails,
        };
        var before = Interlocked.Exchange(ref _state, state);
        if (before == Fails && state != Fails)
            Log.Recovered(logger, registry, upstream);
        if (state == Fails && before != Fails)
            Log.Failing(logger, registry, error!.LogMessage);
        else if (state == Denies && before != Denies)
            Log.Denied(logger, registry, error!.LogMessage);
        return answer;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Registry '{Registry}' lives on what it has: {Problem}")]
        public static partial void Failing(ILogger logger, string registry, string problem);

        // What an upstream does not have, and clients ask for, can look the same.
        [LoggerMessage(
            Level = LogLevel.Debug, Message = "Registry '{Registry}' is not shown what it asks for: {Problem}")]
        public static partial void Denied(ILogger logger, string registry, string problem);

        [LoggerMessage(
            Level = LogLevel.Information, Message = "Registry '{Registry}' is answered by {Upstream} again.")]
        public static partial void Recovered(ILogger logger, string registry, string upstream);
    }
}
