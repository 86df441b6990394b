using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Users;

/// <summary>Makes a local user, who is in no group and may do what everyone may.</summary>
public sealed record CreateUserCommand(AccountName Name, string Password, bool Enabled) : IRequest<Result<LocalUser>>;

internal sealed class CreateUserHandler(ILocalUsers users) : IRequestHandler<CreateUserCommand, Result<LocalUser>>
{
    public async Task<Result<LocalUser>> Handle(CreateUserCommand command, CancellationToken cancellationToken)
        => PasswordPolicy.Refuse(command.Name, command.Password) is { } refusal
            ? refusal
            : await users.AddAsync(command.Name, command.Password, command.Enabled, cancellationToken);
}
