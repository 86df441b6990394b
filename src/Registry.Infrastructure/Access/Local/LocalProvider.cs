using System.Collections.Concurrent;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access.Passwords;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Local;

/// <summary>
/// The users of the database. What was read of one counts until something about access changes, so that no request of a
/// user who is known already asks the database.
/// </summary>
internal sealed class LocalProvider(RegistryDatabase database, PasswordChecks checks, AccessChanges changes)
    : IUserProvider
{
    private const int MaxRemembered = 10_000;

    private volatile Memory _memory = new(Version: -1);

    public string Name => ProviderNames.Local;

    // The time is taken first: a look in between must not make what it has found look as new as itself.
    public Principal? Recall(string user, string password)
    {
        var at = changes.KnownAt;
        return TryRemember(user, out var account) && account is { Enabled: true }
            && checks.IsKnown(user, password, account.Hash)
            ? account.Principal with { KnownAt = at }
            : null;
    }

    public async Task<Result<Principal?>> VerifyAsync(
        string user, string password, CancellationToken cancellationToken)
    {
        var account = await LookUpAsync(user, cancellationToken);
        var check = await checks.CheckAsync(
            user, password, account?.Hash ?? LocalPasswords.Dummy, LocalPasswords.Matches, cancellationToken);
        if (!check.TryGet(out var matches, out var errors))
            return Result<Principal?>.Refused(errors);
        if (account is null)
            return Result<Principal?>.Of(null);
        // The check may have waited for its turn: what counts is the user as it is after that.
        var at = changes.KnownAt;
        return matches
            && await LookUpAsync(user, cancellationToken) is { Enabled: true } now && now.Hash == account.Hash
            ? now.Principal with { KnownAt = at }
            : OciError.CredentialsWrong();
    }

    public async ValueTask<Result<Principal?>> FindAsync(
        AccountReference account, CancellationToken cancellationToken)
        => Result<Principal?>.Of((await FindNowAsync(account.Key, cancellationToken))?.Now);

    public async ValueTask<Result<NamedUser?>> FindUserAsync(string name, CancellationToken cancellationToken)
        => Result<NamedUser?>.Of(await FindNowAsync(name, cancellationToken));

    private async ValueTask<NamedUser?> FindNowAsync(string name, CancellationToken cancellationToken)
        => await LookUpAsync(name, cancellationToken) is { } account
            ? new(account.Enabled ? account.Principal : null)
            : null;

    private bool TryRemember(string name, out LocalAccount? account)
    {
        account = null;
        return changes.IsFresh && _memory is var memory && memory.Version == changes.Version
            && memory.Accounts.TryGetValue(name, out account);
    }

    private async ValueTask<LocalAccount?> LookUpAsync(string name, CancellationToken cancellationToken)
    {
        if (TryRemember(name, out var remembered))
            return remembered;
        // Before the row is read: what is remembered under this number is as new as the number, or newer.
        var version = changes.Version;
        var account = await database.ReadAsync(
            session => LocalAccount.FindAsync(session, name, cancellationToken), cancellationToken);
        Remember(version, name, account);
        return account;
    }

    private void Remember(long version, string name, LocalAccount? account)
    {
        var memory = _memory;
        // Accounts that a slower request has read under an older number never push out newer ones.
        if (memory.Version > version)
            return;
        if (memory.Version < version || memory.Accounts.Count >= MaxRemembered)
            _memory = memory = new(version);
        memory.Accounts[name] = account;
    }

    private sealed record Memory(long Version)
    {
        /// <summary>Null where there is no such user.</summary>
        public ConcurrentDictionary<string, LocalAccount?> Accounts { get; } = new(StringComparer.Ordinal);
    }
}
