using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.AccessTokens;

/// <summary>Takes a token away: it is worth nothing any more, and what was got with it neither.</summary>
/// <param name="Caller">Its owner or an administrator; null for the operator of this machine.</param>
/// <param name="Robot">Whose token it must be; null for anybody's.</param>
/// <param name="Version">Null for whichever it is.</param>
public sealed record RevokeTokenCommand(Principal? Caller, RobotName? Robot, string Id, long? Version)
    : IRequest<Result<AccessToken>>;

internal sealed class RevokeTokenHandler(IAccessTokens tokens, TokenDesk desk)
    : IRequestHandler<RevokeTokenCommand, Result<AccessToken>>
{
    public async Task<Result<AccessToken>> Handle(RevokeTokenCommand command, CancellationToken cancellationToken)
    {
        var found = await desk.FindAsync(command.Caller, command.Robot, command.Id, cancellationToken);
        return found.TryGet(out var token, out var errors)
            ? await tokens.RevokeAsync(token.Id, command.Version, cancellationToken)
            : Result<AccessToken>.Refused(errors);
    }
}
