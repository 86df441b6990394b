using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Groups;

/// <summary>One of the groups of local users.</summary>
public sealed record FindGroupQuery(AccountName Name) : IRequest<Result<LocalGroup>>;

internal sealed class FindGroupHandler(ILocalGroups groups) : IRequestHandler<FindGroupQuery, Result<LocalGroup>>
{
    public async Task<Result<LocalGroup>> Handle(FindGroupQuery query, CancellationToken cancellationToken)
        => await groups.FindAsync(query.Name, cancellationToken) is { } group
            ? group
            : OciError.Unknown($"Group '{query.Name}'");
}
