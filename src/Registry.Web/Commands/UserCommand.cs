using System.CommandLine;
using Registry.Application.Access.Users;
using Registry.Web.Admin;

namespace Registry.Web.Commands;

/// <summary><c>registry user</c>: the local users.</summary>
internal sealed class UserCommand : Command
{
    private readonly Argument<string> _name = new("name") { Description = "The user's name." };

    private readonly Option<string?> _prefix = new("--prefix") { Description = "Only names that begin with this." };

    private readonly Option<string?> _passwordFile = PasswordInput.NewFileOption();

    public UserCommand()
        : base("user", "Manage the users that the registry itself keeps.")
    {
        Add(new AccessCommand("list", "List them: name, enabled or disabled, groups.", ListAsync, _prefix));
        Add(new AccessCommand("add", "Add one.", AddAsync, _name, _passwordFile));
        Add(new AccessCommand(
            "password", "Give one another password, which ends its tokens.", ChangePasswordAsync, _name,
            _passwordFile));
        Add(new AccessCommand("enable", "Let one in again.", (run, end) => SwitchAsync(run, true, end), _name));
        Add(new AccessCommand(
            "disable", "Lock one out, which ends its tokens.", (run, end) => SwitchAsync(run, false, end), _name));
        Add(new AccessCommand("remove", "Remove one, with its tokens.", RemoveAsync, _name));
    }

    private Task<int> ListAsync(AccessRun run, CancellationToken cancellationToken)
    {
        var filter = new UserFilter(run.Arguments.GetValue(_prefix) ?? "", Enabled: null);
        return run.ListAsync(
            page => new ListUsersQuery(filter, page),
            user => user.Name,
            UserModel.Of,
            user => $"{user.Name}\t{(user.Enabled ? "enabled" : "disabled")}\t{string.Join(',', user.Groups)}",
            cancellationToken);
    }

    private async Task<int> AddAsync(AccessRun run, CancellationToken cancellationToken)
    {
        var name = run.Name(_name);
        var password = await ReadPasswordAsync(run, name.Value, cancellationToken);
        return await run.SendAsync(
            new CreateUserCommand(name, password, Enabled: true), UserModel.Of,
            user => $"User '{user.Name}' was added.", cancellationToken);
    }

    private async Task<int> ChangePasswordAsync(AccessRun run, CancellationToken cancellationToken)
    {
        var name = run.Name(_name);
        var password = await ReadPasswordAsync(run, name.Value, cancellationToken);
        return await run.SendAsync(
            new ChangeUserCommand(name, new(password, Enabled: null), Version: null), UserModel.Of,
            user => $"User '{user.Name}' has another password.", cancellationToken);
    }

    private Task<int> SwitchAsync(AccessRun run, bool enabled, CancellationToken cancellationToken)
        => run.SendAsync(
            new ChangeUserCommand(run.Name(_name), new(Password: null, enabled), Version: null), UserModel.Of,
            user => $"User '{user.Name}' is {(user.Enabled ? "enabled" : "disabled")}.", cancellationToken);

    private Task<int> RemoveAsync(AccessRun run, CancellationToken cancellationToken)
        => run.SendAsync(
            new DeleteUserCommand(run.Name(_name), Version: null), UserModel.Of,
            user => $"User '{user.Name}' was removed.", cancellationToken);

    private Task<string> ReadPasswordAsync(AccessRun run, string user, CancellationToken cancellationToken)
        => PasswordInput.ReadAsync(run.Arguments.GetValue(_passwordFile), user, cancellationToken);
}
