using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Access.Tokens;

/// <summary>Signs bearer tokens, and keeps the refresh tokens that others are got with.</summary>
public interface ITokenIssuer
{
    /// <summary>Refused when it would be too long to be sent.</summary>
    Task<Result<BearerToken>> IssueAsync(TokenContent content, CancellationToken cancellationToken);

    /// <summary>
    /// A secret that stands for the account with this service for a long time. Only its hash is kept.
    /// </summary>
    Task<string> IssueRefreshAsync(
        Principal principal, AccountReference account, string service, CancellationToken cancellationToken);

    /// <summary>Whose refresh token it is, unless it has ended, was revoked or is for another service.</summary>
    Task<Result<RefreshedAccount>> FindRefreshAsync(
        string refreshToken, string service, CancellationToken cancellationToken);

    /// <summary>What the tokens' signatures are checked with, as a JWK set (RFC 7517).</summary>
    Task<IReadOnlyList<PublishedKey>> PublishedKeysAsync(CancellationToken cancellationToken);
}

/// <param name="Principal">The name it had; who has another one by now is not the same.</param>
public sealed record RefreshedAccount(string Principal, AccountReference Account);

/// <summary>A public key on the curve P-256.</summary>
/// <param name="X">Coordinate, base64url.</param>
/// <param name="Y">Coordinate, base64url.</param>
public sealed record PublishedKey(string Id, string X, string Y);

/// <param name="Service">The host it is for, and for no other.</param>
public sealed record TokenContent(Principal Principal, string Service, IReadOnlyList<TokenAccess> Access, bool Lists);

/// <param name="Name">What the client calls the repository.</param>
public sealed record TokenAccess(
    RepositoryName Name, RepositoryIdentity Repository, IReadOnlyList<RegistryAction> Actions);

public sealed record BearerToken(string Text, DateTimeOffset IssuedAt, TimeSpan Lifetime);
