using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Users;

/// <summary>
/// Takes a local user away, with its tokens. Rules that name it stay, and would be about its namesake.
/// </summary>
/// <param name="Version">What it must still have; null for any.</param>
public sealed record DeleteUserCommand(AccountName Name, long? Version) : IRequest<Result<LocalUser>>;

internal sealed class DeleteUserHandler(ILocalUsers users, IAccessPolicy access)
    : IRequestHandler<DeleteUserCommand, Result<LocalUser>>
{
    public Task<Result<LocalUser>> Handle(DeleteUserCommand command, CancellationToken cancellationToken)
        => users.DeleteAsync(
            command.Name, command.Version, principal => access.AllowsEverywhere(principal, RegistryAction.Admin),
            cancellationToken);
}
