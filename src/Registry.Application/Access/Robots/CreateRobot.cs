using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Robots;

/// <summary>Makes a robot. It may do nothing before a rule says so, and needs a token to sign in.</summary>
public sealed record CreateRobotCommand(RobotName Name, string Description) : IRequest<Result<Robot>>;

internal sealed class CreateRobotHandler(IRobots robots) : IRequestHandler<CreateRobotCommand, Result<Robot>>
{
    public async Task<Result<Robot>> Handle(CreateRobotCommand command, CancellationToken cancellationToken)
    {
        if (Description.Refuse(command.Description) is { } refusal)
            return refusal;
        return await robots.AddAsync(command.Name, command.Description, cancellationToken) is { } robot
            ? robot
            : OciError.Exists(Robot.Called(command.Name));
    }
}
