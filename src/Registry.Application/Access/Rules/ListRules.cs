using MediatR;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Rules;

public sealed record ListRulesQuery(PageRequest Page) : IRequest<Result<Page<StoredRule>>>;

internal sealed class ListRulesHandler(IAccessRules rules) : IRequestHandler<ListRulesQuery, Result<Page<StoredRule>>>
{
    public async Task<Result<Page<StoredRule>>> Handle(ListRulesQuery query, CancellationToken cancellationToken)
        => await rules.ListAsync(query.Page, cancellationToken);
}
