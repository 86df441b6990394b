using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Users;

/// <summary>
/// Gives a local user another password, locks it or lets it in again. A new password, or locking, ends all its tokens.
/// </summary>
/// <param name="Version">What it must still have; null for any.</param>
public sealed record ChangeUserCommand(AccountName Name, UserChange Change, long? Version)
    : IRequest<Result<LocalUser>>;

internal sealed class ChangeUserHandler(ILocalUsers users, IAccessPolicy access)
    : IRequestHandler<ChangeUserCommand, Result<LocalUser>>
{
    public async Task<Result<LocalUser>> Handle(ChangeUserCommand command, CancellationToken cancellationToken)
    {
        if (command.Change is { Password: null, Enabled: null })
            return OciError.RequestInvalid("There is nothing to change: give a password, or whether it is enabled.");
        if (command.Change.Password is { } password
            && PasswordPolicy.Refuse(command.Name, password) is { } refusal)
            return refusal;
        return await users.ChangeAsync(
            command.Name, command.Change, command.Version,
            principal => access.AllowsEverywhere(principal, RegistryAction.Admin), cancellationToken);
    }
}
