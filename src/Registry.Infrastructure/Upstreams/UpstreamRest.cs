using Registry.Domain.Errors;

namespace Registry.Infrastructure.Upstreams;

/// <summary>
/// When an upstream is not asked: for ten seconds after it could not be used several times in a row, then one request
/// tries; and for as long as it wants to be left alone.
/// </summary>
/// <param name="upstream">Its host.</param>
internal sealed class UpstreamRest(string upstream, TimeProvider time)
{
    private const int FailuresInARow = 5;
    private static readonly TimeSpan AfterFailures = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private int _failures;
    private OciError? _failure;
    private bool _trying;
    private Pause? _pause;
    private Pause? _leftAlone;

    /// <summary>Why no request may be sent now; null when one may.</summary>
    public OciError? Refusal()
    {
        lock (_lock)
        {
            if (Left(_leftAlone) is { } wait)
                return OciError.UpstreamTooOften(upstream, wait);
            if (_failures < FailuresInARow)
                return null;
            return Left(_pause) is { } left ? _failure! with { RetryAfter = left }
                : _trying ? _failure! with { RetryAfter = TimeSpan.FromSeconds(1) }
                : null;
        }
    }

    /// <summary>
    /// As <see cref="Refusal"/>. When a request may be sent, it ends with <see cref="Answered"/>, <see cref="Failed"/>
    /// or <see cref="Abandoned"/>.
    /// </summary>
    /// <param name="tries">Whether others wait for what comes of it.</param>
    public OciError? Begin(out bool tries)
    {
        lock (_lock)
        {
            var refusal = Refusal();
            tries = refusal is null && _failures >= FailuresInARow;
            _trying |= tries;
            return refusal;
        }
    }

    /// <summary>It can be used.</summary>
    public void Answered()
    {
        lock (_lock)
            (_failures, _failure, _pause, _trying) = (0, null, null, false);
    }

    /// <summary>It cannot be used, for this reason.</summary>
    public void Failed(OciError failure)
    {
        lock (_lock)
        {
            (_failures, _failure, _trying) = (_failures + 1, failure, false);
            if (_failures >= FailuresInARow)
                _pause = new(time.GetTimestamp(), AfterFailures);
        }
    }

    /// <summary>Nobody waited for the answer.</summary>
    public void Abandoned(bool tried)
    {
        lock (_lock)
            _trying &= !tried;
    }

    /// <summary>It wants no request for that long.</summary>
    public void LeaveAlone(TimeSpan wait)
    {
        lock (_lock)
            _leftAlone = new(time.GetTimestamp(), wait);
    }

    private TimeSpan? Left(Pause? pause)
        => pause is { } counted && counted.Length - time.GetElapsedTime(counted.Since) is var left
            && left > TimeSpan.Zero
                ? left
                : null;

    private readonly record struct Pause(long Since, TimeSpan Length);
}
