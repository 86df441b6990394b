using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Robots;

/// <summary>Removes a robot with its tokens. Rules about it stay.</summary>
/// <param name="Version">Null for whichever it is.</param>
public sealed record DeleteRobotCommand(RobotName Name, long? Version) : IRequest<Result<Robot>>;

internal sealed class DeleteRobotHandler(IRobots robots) : IRequestHandler<DeleteRobotCommand, Result<Robot>>
{
    public Task<Result<Robot>> Handle(DeleteRobotCommand command, CancellationToken cancellationToken)
        => robots.RemoveAsync(command.Name, command.Version, cancellationToken);
}
