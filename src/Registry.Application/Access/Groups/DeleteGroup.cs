using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Groups;

/// <summary>Takes a group away; its members stay. Rules that name it stay too.</summary>
/// <param name="Version">What it must still have; null for any.</param>
public sealed record DeleteGroupCommand(AccountName Name, long? Version) : IRequest<Result<LocalGroup>>;

internal sealed class DeleteGroupHandler(ILocalGroups groups, IAccessPolicy access)
    : IRequestHandler<DeleteGroupCommand, Result<LocalGroup>>
{
    public Task<Result<LocalGroup>> Handle(DeleteGroupCommand command, CancellationToken cancellationToken)
        => groups.DeleteAsync(
            command.Name, command.Version, principal => access.AllowsEverywhere(principal, RegistryAction.Admin),
            cancellationToken);
}
