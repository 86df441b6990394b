using MediatR;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Robots;

public sealed record ListRobotsQuery(PageRequest Page) : IRequest<Result<Page<Robot>>>;

internal sealed class ListRobotsHandler(IRobots robots) : IRequestHandler<ListRobotsQuery, Result<Page<Robot>>>
{
    public async Task<Result<Page<Robot>>> Handle(ListRobotsQuery query, CancellationToken cancellationToken)
        => await robots.ListAsync(query.Page, cancellationToken);
}
