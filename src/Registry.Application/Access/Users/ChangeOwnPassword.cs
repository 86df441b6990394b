using System.Net;
using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Users;

/// <summary>
/// Gives a local user, who knows the old one, another password. All tokens of that user end with that.
/// </summary>
/// <param name="Caller">Who shows credentials.</param>
/// <param name="Address">Where the request comes from: guessing the old one is slowed down like any login.</param>
public sealed record ChangeOwnPasswordCommand(
    Principal Caller, string OldPassword, string NewPassword, IPAddress? Address) : IRequest<Result<LocalUser>>;

internal sealed class ChangeOwnPasswordHandler(ILocalUsers users, CredentialCheck credentials)
    : IRequestHandler<ChangeOwnPasswordCommand, Result<LocalUser>>
{
    public async Task<Result<LocalUser>> Handle(ChangeOwnPasswordCommand command, CancellationToken cancellationToken)
    {
        if (command.Caller.Account is not { Provider: ProviderNames.Local } account
            || !AccountName.TryParse(account.Key, out var name))
            return OciError.Denied("Only a local user has a password that can be changed here.");
        var verified = await credentials.VerifyAsync(
            name.Value, command.OldPassword, command.Address, cancellationToken);
        if (!verified.TryGet(out var owner, out var errors) && errors[0].Reason is not ErrorReason.Unauthenticated)
            return Result<LocalUser>.Refused(errors);
        if (owner?.Account != account)
            return OciError.Denied("The old password is wrong.");
        if (PasswordPolicy.Refuse(name, command.NewPassword) is { } refusal)
            return refusal;
        if (command.NewPassword == command.OldPassword)
            return OciError.RequestInvalid("The password is refused: it is the old one.");
        return await users.ChangeAsync(
            name, new(command.NewPassword, Enabled: null), version: null, administers: _ => false, cancellationToken);
    }
}
