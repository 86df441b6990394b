using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.AccessTokens;

/// <summary>A token of the caller, or, for who may administer, of anybody.</summary>
/// <param name="Caller">Null for the operator of this machine.</param>
/// <param name="Robot">Whose token it must be; null for anybody's.</param>
public sealed record GetTokenQuery(Principal? Caller, RobotName? Robot, string Id) : IRequest<Result<AccessToken>>;

internal sealed class GetTokenHandler(TokenDesk desk) : IRequestHandler<GetTokenQuery, Result<AccessToken>>
{
    public Task<Result<AccessToken>> Handle(GetTokenQuery query, CancellationToken cancellationToken)
        => desk.FindAsync(query.Caller, query.Robot, query.Id, cancellationToken);
}
