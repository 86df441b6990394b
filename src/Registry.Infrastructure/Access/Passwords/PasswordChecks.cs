using Registry.Domain.Errors;

namespace Registry.Infrastructure.Access.Passwords;

/// <summary>
/// Checks of passwords against hashes that are costly on purpose: a few at a time for the whole process, and one that
/// was good a short while ago not again.
/// </summary>
internal sealed class PasswordChecks(TimeProvider time) : IDisposable
{
    private const int MaxWaiting = 100;

    // A password costs a tenth of a second of processor time, and whoever pulls needs the processor too.
    private static readonly int AtOnce = Math.Max(1, Environment.ProcessorCount / 2);

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    private readonly VerifiedPasswords _verified = new(time);
    private readonly SemaphoreSlim _turn = new(AtOnce, AtOnce);
    private int _waiting;

    /// <summary>Whether this was found good a short while ago; costs nothing to speak of.</summary>
    public bool IsKnown(string user, string password, string hash) => _verified.Contains(user, password, hash);

    /// <summary>
    /// Whether the password fits the user's hash, by <paramref name="matches"/>. Refused as unavailable when too many
    /// wait for that already.
    /// </summary>
    public async Task<Result<bool>> CheckAsync(
        string user, string password, string hash, Func<string, string, bool> matches,
        CancellationToken cancellationToken)
    {
        if (IsKnown(user, password, hash))
            return true;
        if (!await TakeTurnAsync(cancellationToken))
            return OciError.Unavailable("check of passwords");
        try
        {
            // Of the many requests with which a client begins, the first has found it out meanwhile.
            if (IsKnown(user, password, hash))
                return true;
            // The connection's own thread has other requests to serve meanwhile.
            if (!await Task.Run(() => matches(password, hash), CancellationToken.None))
                return false;
            _verified.Add(user, password, hash);
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<bool> TakeTurnAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Interlocked.Increment(ref _waiting) <= MaxWaiting
                && await _turn.WaitAsync(MaxWait, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
