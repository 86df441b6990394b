using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Sessions;

/// <summary>
/// Ends every refresh and bearer token of the caller, or, for who may administer, of somebody else. Passwords and
/// access tokens go on counting.
/// </summary>
/// <param name="Of">Null for the caller.</param>
public sealed record RevokeSessionsCommand(Principal Caller, AccessSubject? Of) : IRequest<Result<RevokedSessions>>;

/// <param name="RefreshTokens">How many there were.</param>
public sealed record RevokedSessions(string Principal, int RefreshTokens);

internal sealed class RevokeSessionsHandler(ITokenSessions sessions, IAccessPolicy access)
    : IRequestHandler<RevokeSessionsCommand, Result<RevokedSessions>>
{
    public async Task<Result<RevokedSessions>> Handle(
        RevokeSessionsCommand command, CancellationToken cancellationToken)
        => SessionOwner.Of(command.Caller, command.Of, access).TryGet(out var principal, out var errors)
            ? new RevokedSessions(principal, await sessions.RevokeAsync(principal, cancellationToken))
            : Result<RevokedSessions>.Refused(errors);
}
