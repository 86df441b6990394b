using MediatR;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Groups;

/// <summary>The groups of local users, in byte order of their names.</summary>
/// <param name="Prefix">What names begin with; empty for all.</param>
public sealed record ListGroupsQuery(string Prefix, PageRequest Page) : IRequest<Result<Page<LocalGroup>>>;

internal sealed class ListGroupsHandler(ILocalGroups groups)
    : IRequestHandler<ListGroupsQuery, Result<Page<LocalGroup>>>
{
    public async Task<Result<Page<LocalGroup>>> Handle(ListGroupsQuery query, CancellationToken cancellationToken)
        => await groups.ListAsync(query.Prefix, query.Page, cancellationToken);
}
