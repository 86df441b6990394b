using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access.Passwords;

namespace Registry.Infrastructure.Access.Htpasswd;

/// <summary>The users of an htpasswd file. They are in no group.</summary>
internal sealed class HtpasswdProvider(
    string path, PasswordChecks checks, TimeProvider time, ILogger<HtpasswdProvider> logger)
    : IUserProvider, IOpenedAtStart
{
    // When the file has no user at all, an unknown one still costs what a known one would.
    private const string UsualHash = "$2y$10$.....................u...............................";

    private readonly HtpasswdFile _file = new(path, time, logger);

    public string Name => ProviderNames.Htpasswd;

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

    public Principal? Recall(string user, string password)
        => _file.Hashes().TryGetValue(user, out var hash) && checks.IsKnown(user, password, hash)
            ? Of(user, hash)
            : null;

    public async Task<Result<Principal?>> VerifyAsync(
        string user, string password, CancellationToken cancellationToken)
    {
        var hashes = _file.Hashes();
        var hash = hashes.GetValueOrDefault(user);
        var costly = hash ?? Bcrypt.Dummy(AnyHash(hashes, user));
        var check = await checks.CheckAsync(user, password, costly, Bcrypt.Matches, cancellationToken);
        if (!check.TryGet(out var matches, out var errors))
            return Result<Principal?>.Refused(errors);
        return hash is null ? Result<Principal?>.Of(null)
            : matches ? Of(user, hash)
            : OciError.CredentialsWrong();
    }

    public ValueTask<Result<Principal?>> FindAsync(AccountReference account, CancellationToken cancellationToken)
        => new(Result<Principal?>.Of(
            Find(account.Key) is { } principal && account.Includes(principal.Account!) ? principal : null));

    public ValueTask<Result<NamedUser?>> FindUserAsync(string name, CancellationToken cancellationToken)
        => new(Result<NamedUser?>.Of(Find(name) is { } principal ? new(principal) : null));

    // Of an unknown user always the same one: it costs what some user costs, and no more or less the next time.
    private static string AnyHash(IReadOnlyDictionary<string, string> hashes, string user)
        => hashes.Count == 0
            ? UsualHash
            : hashes.Values.ElementAt((int)((uint)user.GetHashCode(StringComparison.Ordinal) % hashes.Count));

    private Principal? Find(string user)
        => _file.Hashes().TryGetValue(user, out var hash) ? Of(user, hash) : null;

    // Marked with the hash, but not so that it could be guessed at: bearer tokens carry the mark.
    private Principal Of(string user, string hash)
        => Principal.User(user) with { Account = new(Name, user, SecretMark.Of(hash)) };
}
