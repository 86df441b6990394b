using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Access.Htpasswd;

/// <summary>The users of an htpasswd file. They are in no group.</summary>
internal sealed class HtpasswdVerifier(string path, TimeProvider time, ILogger<HtpasswdVerifier> logger)
    : ICredentialVerifier, IDisposable
{
    // When the file has no user at all, an unknown one still costs what a known one would.
    private const string UsualHash = "$2y$10$.....................u...............................";

    private const int MaxWaiting = 100;

    // A password costs a tenth of a second of processor time, and whoever pulls needs the processor too.
    private static readonly int AtOnce = Math.Max(1, Environment.ProcessorCount / 2);

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    private readonly HtpasswdFile _file = new(path, time, logger);
    private readonly VerifiedPasswords _verified = new(time);
    private readonly SemaphoreSlim _turn = new(AtOnce, AtOnce);
    private int _waiting;

    /// <exception cref="StartRefusedException">The file cannot be used, or the system has no libcrypt.</exception>
    public void Open()
    {
        if (!Bcrypt.IsAvailable())
        {
            throw new StartRefusedException(
                "Registry:Access:Htpasswd needs libcrypt (libxcrypt), which this system does not have: "
                + "install libcrypt1 (Debian) or libxcrypt.");
        }

        _file.Open();
    }

    public async Task<Result<Principal>> VerifyAsync(string user, string password, CancellationToken cancellationToken)
    {
        var hashes = _file.Hashes();
        var hash = hashes.GetValueOrDefault(user);
        if (hash is not null && _verified.Contains(user, password, hash))
            return Principal.User(user);

        if (!await TakeTurnAsync(cancellationToken))
            return OciError.Unavailable("check of passwords");
        try
        {
            // Of the many requests with which a client begins, the first has found it out meanwhile.
            if (hash is not null && _verified.Contains(user, password, hash))
                return Principal.User(user);

            // The connection's own thread has other requests to serve meanwhile.
            var costly = hash ?? Bcrypt.Dummy(AnyHash(hashes, user));
            var matches = await Task.Run(() => Bcrypt.Matches(password, costly), CancellationToken.None);
            if (!matches || hash is null)
                return OciError.CredentialsWrong();
            _verified.Add(user, password, hash);
            return Principal.User(user);
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

    // Of an unknown user always the same one: it costs what some user costs, and no more or less the next time.
    private static string AnyHash(IReadOnlyDictionary<string, string> hashes, string user)
        => hashes.Count == 0
            ? UsualHash
            : hashes.Values.ElementAt((int)((uint)user.GetHashCode(StringComparison.Ordinal) % hashes.Count));
}
