using System.CommandLine;
using Registry.Application.Access.Groups;
using Registry.Web.Admin;

namespace Registry.Web.Commands;

/// <summary><c>registry group</c>: groups of local users.</summary>
internal sealed class GroupCommand : Command
{
    private readonly Argument<string> _name = new("group") { Description = "The group's name." };

    private readonly Argument<string> _user = new("user") { Description = "The user's name." };

    private readonly Option<string?> _prefix = new("--prefix") { Description = "Only names that begin with this." };

    private readonly Option<string?> _description = new("--description") { Description = "What people say of it." };

    public GroupCommand()
        : base("group", "Manage the groups of those users.")
    {
        Add(new AccessCommand("list", "List them: name, description.", ListAsync, _prefix));
        Add(new AccessCommand("add", "Add one.", AddAsync, _name, _description));
        Add(new AccessCommand("remove", "Remove one; its members stay.", RemoveAsync, _name));
        Add(new AccessCommand("join", "Put a user into one.", JoinAsync, _name, _user));
        Add(new AccessCommand("leave", "Take a user out of one.", LeaveAsync, _name, _user));
    }

    private Task<int> ListAsync(AccessRun run, CancellationToken cancellationToken)
    {
        var prefix = run.Arguments.GetValue(_prefix) ?? "";
        return run.ListAsync(
            page => new ListGroupsQuery(prefix, page), group => group.Name, GroupModel.Of,
            group => $"{group.Name}\t{group.Description}", cancellationToken);
    }

    private Task<int> AddAsync(AccessRun run, CancellationToken cancellationToken)
        => run.SendAsync(
            new CreateGroupCommand(run.Name(_name), run.Arguments.GetValue(_description) ?? ""), GroupModel.Of,
            group => $"Group '{group.Name}' was added.", cancellationToken);

    private Task<int> RemoveAsync(AccessRun run, CancellationToken cancellationToken)
        => run.SendAsync(
            new DeleteGroupCommand(run.Name(_name), Version: null), GroupModel.Of,
            group => $"Group '{group.Name}' was removed.", cancellationToken);

    private Task<int> JoinAsync(AccessRun run, CancellationToken cancellationToken)
        => run.SendAsync(
            new JoinGroupCommand(run.Name(_name), run.Name(_user)), GroupModel.Of,
            group => $"User '{run.Name(_user)}' is in group '{group.Name}'.", cancellationToken);

    private Task<int> LeaveAsync(AccessRun run, CancellationToken cancellationToken)
        => run.SendAsync(
            new LeaveGroupCommand(run.Name(_name), run.Name(_user)), GroupModel.Of,
            group => $"User '{run.Name(_user)}' is not in group '{group.Name}'.", cancellationToken);
}
