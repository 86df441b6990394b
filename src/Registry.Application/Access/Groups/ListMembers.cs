using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Groups;

/// <summary>The names of the users in a group, in byte order.</summary>
public sealed record ListMembersQuery(AccountName Group, PageRequest Page) : IRequest<Result<Page<string>>>;

internal sealed class ListMembersHandler(ILocalGroups groups) : IRequestHandler<ListMembersQuery, Result<Page<string>>>
{
    public Task<Result<Page<string>>> Handle(ListMembersQuery query, CancellationToken cancellationToken)
        => groups.ListMembersAsync(query.Group, query.Page, cancellationToken);
}
