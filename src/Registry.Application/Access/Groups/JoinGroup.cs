using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Groups;

/// <summary>Puts a local user into a group, where it may be already.</summary>
public sealed record JoinGroupCommand(AccountName Group, AccountName User) : IRequest<Result<LocalGroup>>;

internal sealed class JoinGroupHandler(ILocalGroups groups) : IRequestHandler<JoinGroupCommand, Result<LocalGroup>>
{
    public Task<Result<LocalGroup>> Handle(JoinGroupCommand command, CancellationToken cancellationToken)
        => groups.JoinAsync(command.Group, command.User, cancellationToken);
}
