using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Groups;

/// <summary>Gives a group another description.</summary>
/// <param name="Version">What it must still have; null for any.</param>
public sealed record DescribeGroupCommand(AccountName Name, string Description, long? Version)
    : IRequest<Result<LocalGroup>>;

internal sealed class DescribeGroupHandler(ILocalGroups groups)
    : IRequestHandler<DescribeGroupCommand, Result<LocalGroup>>
{
    public async Task<Result<LocalGroup>> Handle(DescribeGroupCommand command, CancellationToken cancellationToken)
        => GroupDescription.Refuse(command.Description) is { } refusal
            ? refusal
            : await groups.DescribeAsync(command.Name, command.Description, command.Version, cancellationToken);
}
