using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.AccessTokens;

/// <summary>Makes a token for the caller itself, who shows a credential that is not limited.</summary>
public sealed record CreateOwnTokenCommand(Principal Caller, TokenDraft Draft) : IRequest<Result<RevealedToken>>;

/// <summary>Makes a token for a robot.</summary>
/// <param name="Caller">An administrator; null for the operator of this machine.</param>
public sealed record CreateRobotTokenCommand(Principal? Caller, RobotName Robot, TokenDraft Draft)
    : IRequest<Result<RevealedToken>>;

/// <summary>Makes a token for a user, on behalf of the operator of this machine.</summary>
public sealed record CreateUserTokenCommand(string User, TokenDraft Draft) : IRequest<Result<RevealedToken>>;

internal sealed class CreateOwnTokenHandler(TokenDesk desk)
    : IRequestHandler<CreateOwnTokenCommand, Result<RevealedToken>>
{
    public async Task<Result<RevealedToken>> Handle(
        CreateOwnTokenCommand command, CancellationToken cancellationToken)
        => (await desk.OwnerOfAsync(command.Caller, cancellationToken)).TryGet(out var owner, out var errors)
            ? await desk.AddAsync(command.Caller, owner, command.Draft, cancellationToken)
            : Result<RevealedToken>.Refused(errors);
}

internal sealed class CreateRobotTokenHandler(TokenDesk desk)
    : IRequestHandler<CreateRobotTokenCommand, Result<RevealedToken>>
{
    public Task<Result<RevealedToken>> Handle(CreateRobotTokenCommand command, CancellationToken cancellationToken)
        => desk.AddAsync(command.Caller, TokenOwner.Of(command.Robot), command.Draft, cancellationToken);
}

internal sealed class CreateUserTokenHandler(TokenDesk desk, Accounts accounts)
    : IRequestHandler<CreateUserTokenCommand, Result<RevealedToken>>
{
    public async Task<Result<RevealedToken>> Handle(
        CreateUserTokenCommand command, CancellationToken cancellationToken)
        => (await accounts.FindUserAsync(command.User, cancellationToken)).TryGet(out var user, out var errors)
            ? await desk.AddAsync(caller: null, TokenOwner.Of(user.Account!), command.Draft, cancellationToken)
            : Result<RevealedToken>.Refused(errors);
}
