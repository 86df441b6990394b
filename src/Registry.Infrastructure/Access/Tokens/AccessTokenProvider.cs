using System.Collections.Concurrent;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Database;

namespace Registry.Infrastructure.Access.Tokens;

/// <summary>
/// Robots and users by their access tokens, which stand where a password stands. Whoever shows one is its owner as the
/// owner is now, within the token's scope.
/// </summary>
/// <param name="accounts">
/// Of all providers, this one among them: the owners of tokens are theirs. Asked for late, for they are made together.
/// </param>
internal sealed class AccessTokenProvider(
    StoredAccessTokens tokens, TokenUses uses, AccessChanges changes, Func<Accounts> accounts,
    TimeProvider time)
    : IUserProvider
{
    private const int MaxEntries = 10_000;

    // A token's own changes end what is known at once. Whether its owner is still there, the owner's provider says, and
    // this is added to what that remembers itself.
    private static readonly TimeSpan OwnerAge = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, KnownToken> _known = new(StringComparer.Ordinal);
    private readonly Lazy<Accounts> _accounts = new(accounts);

    public string Name => ProviderNames.Token;

    public bool IsGuessable => false;

    public Principal? Recall(string user, string password)
    {
        if (!TokenSecret.TryParse(password, out var secret)
            || !_known.TryGetValue(secret.Id, out var token) || !IsCurrent(token))
            return null;
        var now = time.GetUtcNow();
        if (token.AccountOf(secret.Hash, now) is not { } account || token.HasExpired(now)
            || RecallOwner(token) is not { } owner || !IsCalled(token, owner, user))
            return null;
        uses.Note(token.Id);
        return Of(token, owner, account);
    }

    public async Task<Result<Principal?>> VerifyAsync(
        string user, string password, CancellationToken cancellationToken)
    {
        if (!TokenSecret.IsMeant(password))
            return Result<Principal?>.Of(null);
        // From here on no other provider is asked: a token is nobody's password, and is shown to nobody else.
        if (!TokenSecret.TryParse(password, out var secret)
            || await FindKnownAsync(secret.Id, cancellationToken) is not { } token
            || token.AccountOf(secret.Hash, time.GetUtcNow()) is not { } account)
            return OciError.CredentialsWrong();
        if (!(await FindOwnerAsync(token, cancellationToken)).TryGet(out var owner, out var errors))
            return Result<Principal?>.Refused(errors);
        if (owner is not null && !IsCalled(token, owner, user))
            return OciError.CredentialsWrong();
        if (owner is null)
            return OciError.TokenInvalid(
                token.IsOwnerEnabled ? "belongs to nobody any more" : "belongs to a robot that is disabled");
        if (token.HasExpired(time.GetUtcNow()))
            return OciError.TokenInvalid("has expired");
        uses.Note(token.Id);
        return Of(token, owner, account);
    }

    public async ValueTask<Result<Principal?>> FindAsync(
        AccountReference remembered, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (!TokenSecret.IsId(remembered.Key)
            || await FindKnownAsync(remembered.Key, cancellationToken) is not { } token
            || token.AccountOf(remembered, now) is not { } account || token.HasExpired(now))
            return Result<Principal?>.Of(null);
        if (!(await FindOwnerAsync(token, cancellationToken)).TryGet(out var owner, out var errors))
            return Result<Principal?>.Refused(errors);
        if (owner is null)
            return Result<Principal?>.Of(null);
        uses.Note(token.Id);
        return Of(token, owner, account);
    }

    private static bool IsCalled(KnownToken token, Principal owner, string user)
        => token.Owner.Robot is { } robot
            ? user == robot.LoginName
            : owner.Name == AccessSubject.User(user).Text;

    private static Principal Of(KnownToken token, Principal owner, AccountReference account)
        => owner with { Account = account, Scope = token.Scope, Until = token.ExpiresAt };

    private bool IsCurrent(KnownToken token) => token.Version == changes.Version && changes.IsFresh;

    private async ValueTask<KnownToken?> FindKnownAsync(string id, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(id, out var known) && IsCurrent(known))
            return known;
        var version = changes.Version; // first, so that what is read behind it is as new or newer
        if (await tokens.FindKnownAsync(id, cancellationToken) is not { } read)
        {
            _known.TryRemove(id, out _);
            return null;
        }

        if (_known.Count >= MaxEntries)
            _known.Clear(); // they are read again, once each
        return _known[id] = read with { Version = version };
    }

    private Principal? RecallOwner(KnownToken token)
        => token.Owner.Robot is { } robot ? RobotOf(token, robot) : token.RecallOwner(time, OwnerAge);

    private static Principal? RobotOf(KnownToken token, RobotName robot)
        => token.IsOwnerEnabled ? Principal.Robot(robot.Value) : null;

    /// <summary>Who the owner is now; null when it is gone, locked or disabled.</summary>
    private async ValueTask<Result<Principal?>> FindOwnerAsync(KnownToken token, CancellationToken cancellationToken)
    {
        if (token.Owner.Robot is { } robot)
            return Result<Principal?>.Of(RobotOf(token, robot));
        var found = await _accounts.Value.FindAsync(token.Owner.User!, cancellationToken);
        if (found.TryGet(out var owner, out _) && owner is not null)
            token.RememberOwner(owner, time);
        return found;
    }
}
