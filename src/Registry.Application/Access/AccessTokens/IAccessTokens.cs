using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.AccessTokens;

/// <summary>
/// The access tokens of users and robots. Only hashes of their secrets are kept. Every change counts on this node when
/// it returns, and within seconds on every other.
/// </summary>
public interface IAccessTokens
{
    /// <summary>In byte order of their ids.</summary>
    /// <param name="owner">Null for those of all owners.</param>
    Task<Page<AccessToken>> ListAsync(TokenOwner? owner, PageRequest page, CancellationToken cancellationToken);

    Task<AccessToken?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>Refused when its robot does not exist, or the owner has as many as there may be.</summary>
    Task<Result<RevealedToken>> AddAsync(NewAccessToken token, CancellationToken cancellationToken);

    /// <summary>
    /// Gives the token another secret. The one before counts for <paramref name="overlap"/> longer; one still older
    /// ends. Refused when there is no such token, or it is not of that version any more.
    /// </summary>
    /// <param name="version">Null for whichever it is.</param>
    Task<Result<RevealedToken>> RotateAsync(
        string id, TimeSpan overlap, long? version, CancellationToken cancellationToken);

    /// <summary>Takes the token away. Refused as <see cref="RotateAsync"/> is.</summary>
    Task<Result<AccessToken>> RevokeAsync(string id, long? version, CancellationToken cancellationToken);
}

/// <summary>Whose token it is: a robot's, or that of a user whom a provider knows. One of the two.</summary>
public sealed record TokenOwner
{
    private TokenOwner(RobotName? robot, AccountReference? user) => (Robot, User) = (robot, user);

    public RobotName? Robot { get; }

    public AccountReference? User { get; }

    public static TokenOwner Of(RobotName robot) => new(robot, null);

    /// <param name="user">With whichever secret: a token goes on when its owner's password changes.</param>
    public static TokenOwner Of(AccountReference user) => new(null, user with { Mark = null });
}

/// <param name="Id">Names it to people and programs; no secret.</param>
/// <param name="Scope">What it can be used for at most; null for all that its owner may do.</param>
/// <param name="Version">Another one after each change.</param>
/// <param name="ExpiresAt">Null for never.</param>
/// <param name="LastUsedAt">To the minute; null for never yet.</param>
/// <param name="PreviousUntil">Until when the secret before the last rotation counts; null when it does not.</param>
public sealed record AccessToken(
    string Id, TokenOwner Owner, string Description, CredentialScope? Scope, long Version, DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt, DateTimeOffset? PreviousUntil)
{
    /// <summary>What messages call a token.</summary>
    public static string Called(string id) => $"Token '{OciError.Shorten(id)}'";
}

public sealed record NewAccessToken(
    TokenOwner Owner, string Description, CredentialScope? Scope, DateTimeOffset? ExpiresAt);

/// <summary>A token with its secret, which is told this once.</summary>
/// <param name="Secret">What its owner shows as a password.</param>
public sealed record RevealedToken(AccessToken Token, string Secret);
