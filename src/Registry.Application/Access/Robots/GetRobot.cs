using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Robots;

public sealed record GetRobotQuery(RobotName Name) : IRequest<Result<Robot>>;

internal sealed class GetRobotHandler(IRobots robots) : IRequestHandler<GetRobotQuery, Result<Robot>>
{
    public async Task<Result<Robot>> Handle(GetRobotQuery query, CancellationToken cancellationToken)
        => await robots.FindAsync(query.Name, cancellationToken) is { } robot
            ? robot
            : OciError.Unknown(Robot.Called(query.Name));
}
