using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Robots;

/// <summary>Changes a robot's description, or whether its tokens count. What is null stays as it is.</summary>
/// <param name="Version">Null for whichever it is.</param>
public sealed record ChangeRobotCommand(RobotName Name, string? Description, bool? Enabled, long? Version)
    : IRequest<Result<Robot>>;

internal sealed class ChangeRobotHandler(IRobots robots) : IRequestHandler<ChangeRobotCommand, Result<Robot>>
{
    public async Task<Result<Robot>> Handle(ChangeRobotCommand command, CancellationToken cancellationToken)
        => Description.Refuse(command.Description) is { } refusal
            ? refusal
            : await robots.ChangeAsync(
                command.Name, command.Description, command.Enabled, command.Version, cancellationToken);
}
