using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Groups;

/// <summary>Takes a local user out of a group, which it may have left already.</summary>
public sealed record LeaveGroupCommand(AccountName Group, AccountName User) : IRequest<Result<LocalGroup>>;

internal sealed class LeaveGroupHandler(ILocalGroups groups, IAccessPolicy access)
    : IRequestHandler<LeaveGroupCommand, Result<LocalGroup>>
{
    public Task<Result<LocalGroup>> Handle(LeaveGroupCommand command, CancellationToken cancellationToken)
        => groups.LeaveAsync(
            command.Group, command.User, principal => access.AllowsEverywhere(principal, RegistryAction.Admin),
            cancellationToken);
}
