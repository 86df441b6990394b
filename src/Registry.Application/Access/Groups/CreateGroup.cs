using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Groups;

/// <summary>Makes a group without members.</summary>
public sealed record CreateGroupCommand(AccountName Name, string Description) : IRequest<Result<LocalGroup>>;

internal sealed class CreateGroupHandler(ILocalGroups groups) : IRequestHandler<CreateGroupCommand, Result<LocalGroup>>
{
    public async Task<Result<LocalGroup>> Handle(CreateGroupCommand command, CancellationToken cancellationToken)
        => GroupDescription.Refuse(command.Description) is { } refusal
            ? refusal
            : await groups.AddAsync(command.Name, command.Description, cancellationToken);
}
