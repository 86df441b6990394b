using System.Net.Http.Headers;

namespace Registry.Infrastructure.Upstreams;

/// <summary>
/// Credentials that were refused are not shown again for a while, so that clients who go on asking do not lock the
/// user: for half a minute, then twice as long each time, up to ten minutes. Others may be shown at once.
/// </summary>
internal sealed class RefusedCredentials(TimeProvider time)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private Refusal? _refusal;

    /// <summary>
    /// Whether they may be shown now. Once their time has come one try is made: it begins the next wait, which
    /// <see cref="Forget"/> ends.
    /// </summary>
    public bool MayShow(AuthenticationHeaderValue credentials)
    {
        lock (_lock)
        {
            if (_refusal is not { } refusal || !refusal.Credentials.Equals(credentials))
                return true;
            if (time.GetElapsedTime(refusal.Since) < refusal.Wait)
                return false;
            var longer = refusal.Wait * 2;
            _refusal = new(credentials, time.GetTimestamp(), longer < LongestWait ? longer : LongestWait);
            return true;
        }
    }

    /// <summary>They were refused.</summary>
    public void Note(AuthenticationHeaderValue credentials)
    {
        lock (_lock)
        {
            if (_refusal is null || !_refusal.Credentials.Equals(credentials))
                _refusal = new(credentials, time.GetTimestamp(), FirstWait);
        }
    }

    /// <summary>Those that are shown now are taken.</summary>
    public void Forget()
    {
        lock (_lock)
            _refusal = null;
    }

    private sealed record Refusal(AuthenticationHeaderValue Credentials, long Since, TimeSpan Wait);
}
