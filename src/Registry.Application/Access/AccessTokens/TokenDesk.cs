using Registry.Application.Access.Rules;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.AccessTokens;

/// <summary>What the use cases of access tokens have in common: who may make and manage which of them.</summary>
internal sealed class TokenDesk(IAccessTokens tokens, IAccessPolicy access, RuleReader rules, TimeProvider time)
{
    private const int MaxGrants = 50;

    /// <summary>
    /// Whose tokens the caller's own ones are. Refused for who shows a limited credential, which must neither make a
    /// wider one nor touch others, and for robots, whose tokens administrators make.
    /// </summary>
    public async Task<Result<TokenOwner>> OwnerOfAsync(Principal caller, CancellationToken cancellationToken)
    {
        if (RefuseLimited(caller) is { } refusal)
            return refusal;
        if (caller.Account is not { } account)
            return OciError.Denied("Only who has an account here can have access tokens.");
        if (account.Provider != ProviderNames.Token)
            return TokenOwner.Of(account);
        return await tokens.FindAsync(account.Key, cancellationToken) is { Owner.User: not null } own
            ? own.Owner
            : OciError.Denied("The tokens of robots are managed by administrators.");
    }

    /// <summary>Refuses who shows a credential that is limited to less than what its owner may do.</summary>
    public static OciError? RefuseLimited(Principal? caller)
        => caller is null or { Scope: null, Token: null }
            ? null
            : OciError.Denied(
                "This credential is limited, and tokens are managed with unlimited ones alone: "
                + "sign in with the password.");

    /// <summary>
    /// A token that the caller may manage. What belongs to somebody else is refused like what does not exist.
    /// </summary>
    /// <param name="caller">Null for the operator of this machine, who may manage all.</param>
    /// <param name="robot">Whose token it must be; null for anybody's.</param>
    public async Task<Result<AccessToken>> FindAsync(
        Principal? caller, RobotName? robot, string id, CancellationToken cancellationToken)
    {
        if (RefuseLimited(caller) is { } refusal)
            return refusal;
        TokenOwner? own = null;
        if (!IsAdmin(caller) && !(await OwnerOfAsync(caller!, cancellationToken)).TryGet(out own, out var errors))
            return Result<AccessToken>.Refused(errors);
        return await tokens.FindAsync(id, cancellationToken) is { } token
            && (own is null || token.Owner == own)
            && (robot is null || token.Owner.Robot == robot)
                ? token
                : OciError.Unknown(AccessToken.Called(id));
    }

    /// <summary>Whether the caller may manage the tokens of others.</summary>
    /// <param name="caller">Null for the operator of this machine.</param>
    public bool IsAdmin(Principal? caller) => caller is null || access.AllowsEverywhere(caller, RegistryAction.Admin);

    /// <summary>Makes a token of that owner, which ends when the caller's credential does, if that ends.</summary>
    public async Task<Result<RevealedToken>> AddAsync(
        Principal? caller, TokenOwner owner, TokenDraft draft, CancellationToken cancellationToken)
    {
        if ((RefuseLimited(caller) ?? Description.Refuse(draft.Description)) is { } refusal)
            return refusal;
        if (draft.ExpiresAt <= time.GetUtcNow())
            return OciError.RequestInvalid("ExpiresAt is in the past: name a time to come, or leave it out for none.");
        if (!ReadScope(draft.Scope).TryGet(out var scope, out var errors))
            return Result<RevealedToken>.Refused(errors);
        var end = caller?.Until < (draft.ExpiresAt ?? DateTimeOffset.MaxValue) ? caller.Until : draft.ExpiresAt;
        return await tokens.AddAsync(new(owner, draft.Description, scope, end), cancellationToken);
    }

    private Result<CredentialScope?> ReadScope(IReadOnlyList<AccessRuleSettings>? settings)
    {
        if (settings is null)
            return Result<CredentialScope?>.Of(null);
        if (settings.Count is 0 or > MaxGrants)
            return OciError.RequestInvalid(
                $"Scope has {settings.Count} entries: name 1 to {MaxGrants}, or leave it out for no limit.");
        var grants = new List<AccessGrant>(settings.Count);
        foreach (var entry in settings)
        {
            entry.Subject = AccessSubject.Everyone.Text; // says nothing here, but a rule has one
            if (!rules.Read(entry).TryGet(out var rule, out var errors))
                return Result<CredentialScope?>.Refused(errors);
            grants.Add(rule.Grant);
        }

        return new CredentialScope(grants);
    }
}
