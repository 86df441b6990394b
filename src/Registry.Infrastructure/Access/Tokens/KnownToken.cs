using System.Security.Cryptography;
using Registry.Application.Access;
using Registry.Application.Access.AccessTokens;
using Registry.Domain.Access;
using Registry.Infrastructure.Access.Passwords;

namespace Registry.Infrastructure.Access.Tokens;

/// <summary>A token as it was read from the database, with the hashes of its secrets.</summary>
/// <param name="IsOwnerEnabled">Whether its robot is; true for a user, whom a provider is asked about.</param>
/// <param name="Hash">Of the secret that counts until the token ends.</param>
/// <param name="PreviousHash">Of the one before, which counts until <paramref name="PreviousUntil"/>.</param>
internal sealed record KnownToken(
    string Id, TokenOwner Owner, bool IsOwnerEnabled, CredentialScope? Scope, DateTimeOffset? ExpiresAt, byte[] Hash,
    byte[]? PreviousHash, DateTimeOffset? PreviousUntil)
{
    private readonly AccountReference _account = new(ProviderNames.Token, Id, SecretMark.Of(Hash));

    private readonly AccountReference? _previousAccount
        = PreviousHash is null ? null : new(ProviderNames.Token, Id, SecretMark.Of(PreviousHash));

    private volatile FoundOwner? _found;

    /// <summary>The state of all accounts that this was read in.</summary>
    public long Version { get; init; }

    /// <summary>What is remembered of who shows the secret with that hash; null when it is none that counts.</summary>
    public AccountReference? AccountOf(byte[] hash, DateTimeOffset now)
    {
        // Both are compared in any case: how long it takes tells nothing of either.
        var isCurrent = CryptographicOperations.FixedTimeEquals(hash, Hash);
        var isPrevious = CryptographicOperations.FixedTimeEquals(hash, PreviousHash ?? Hash) && PreviousUntil > now;
        return isCurrent ? _account : isPrevious ? _previousAccount : null;
    }

    /// <summary>The same for what is remembered; null when the secret that it was got with has ended.</summary>
    public AccountReference? AccountOf(AccountReference remembered, DateTimeOffset now)
        => remembered == _account ? _account
            : remembered == _previousAccount && PreviousUntil > now ? _previousAccount
            : null;

    public bool HasExpired(DateTimeOffset now) => ExpiresAt <= now;

    /// <summary>Who its owner was found to be, if that is not longer ago than <paramref name="age"/>.</summary>
    public Principal? RecallOwner(TimeProvider time, TimeSpan age)
        => _found is { } found && time.GetElapsedTime(found.At) < age ? found.Owner : null;

    public void RememberOwner(Principal owner, TimeProvider time) => _found = new(owner, time.GetTimestamp());

    private sealed record FoundOwner(Principal Owner, long At);
}
