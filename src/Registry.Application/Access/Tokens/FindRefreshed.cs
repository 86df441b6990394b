using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Tokens;

/// <summary>Finds out who shows a refresh token (RFC 6749, section 6), as that account is now.</summary>
public sealed record FindRefreshedQuery(string RefreshToken, string Service) : IRequest<Result<Principal>>;

internal sealed class FindRefreshedHandler(ITokenIssuer issuer, Accounts accounts)
    : IRequestHandler<FindRefreshedQuery, Result<Principal>>
{
    public async Task<Result<Principal>> Handle(FindRefreshedQuery query, CancellationToken cancellationToken)
    {
        var found = await issuer.FindRefreshAsync(query.RefreshToken, query.Service, cancellationToken);
        if (!found.TryGet(out var refreshed, out var errors))
            return Result<Principal>.Refused(errors);
        var now = await accounts.FindAsync(refreshed.Account, cancellationToken);
        if (!now.TryGet(out var principal, out errors))
            return Result<Principal>.Refused(errors);
        return principal is not null && principal.Name == refreshed.Principal
            ? principal
            : OciError.TokenInvalid("belongs to nobody any more");
    }
}
