using System.CommandLine;
using Registry.Application.Access.Robots;
using Registry.Domain.Access;
using Registry.Infrastructure;
using Registry.Web.Admin;

namespace Registry.Web.Commands;

/// <summary><c>registry robot</c>: the accounts of programs.</summary>
internal sealed class RobotCommand : Command
{
    private readonly Argument<string> _name = new("name") { Description = "The robot's name." };

    private readonly Option<string?> _description = new("--description") { Description = "What it is for." };

    public RobotCommand()
        : base("robot", "Manage robots, which sign in with tokens as robot+NAME.")
    {
        Add(new AccessCommand("list", "List them: name, enabled or disabled, description.", ListAsync));
        Add(new AccessCommand("add", "Add one. It needs a token and a rule.", AddAsync, _name, _description));
        Add(new AccessCommand(
            "enable", "Let its tokens count again.", (run, end) => SwitchAsync(run, true, end), _name));
        Add(new AccessCommand(
            "disable", "Let its tokens count no more.", (run, end) => SwitchAsync(run, false, end), _name));
        Add(new AccessCommand("remove", "Remove one, with its tokens.", RemoveAsync, _name));
    }

    /// <exception cref="StartRefusedException">It is no name.</exception>
    public static RobotName Read(string? text)
        => RobotInput.Read(text).Match(name => name, errors => throw new StartRefusedException(errors[0].Message));

    private Task<int> ListAsync(AccessRun run, CancellationToken cancellationToken)
        => run.ListAsync(
            page => new ListRobotsQuery(page),
            robot => robot.Name.Value,
            RobotModel.Of,
            robot => $"{robot.Name}\t{(robot.Enabled ? "enabled" : "disabled")}\t{robot.Description}",
            cancellationToken);

    private Task<int> AddAsync(AccessRun run, CancellationToken cancellationToken)
        => run.SendAsync(
            new CreateRobotCommand(
                Read(run.Arguments.GetValue(_name)), run.Arguments.GetValue(_description) ?? ""),
            RobotModel.Of,
            robot => $"Robot '{robot.Name}' was added: it signs in as {robot.Name.LoginName}.",
            cancellationToken);

    private Task<int> SwitchAsync(AccessRun run, bool enabled, CancellationToken cancellationToken)
        => run.SendAsync(
            new ChangeRobotCommand(
                Read(run.Arguments.GetValue(_name)), Description: null, enabled, Version: null),
            RobotModel.Of,
            robot => $"Robot '{robot.Name}' is {(robot.Enabled ? "enabled" : "disabled")}.",
            cancellationToken);

    private Task<int> RemoveAsync(AccessRun run, CancellationToken cancellationToken)
        => run.SendAsync(
            new DeleteRobotCommand(Read(run.Arguments.GetValue(_name)), Version: null),
            RobotModel.Of,
            robot => $"Robot '{robot.Name}' was removed.",
            cancellationToken);
}
