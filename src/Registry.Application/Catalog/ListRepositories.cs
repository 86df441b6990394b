using MediatR;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Catalog;

/// <summary>
/// A page of the repositories that the principal may pull from, under the names that clients of this host use
/// (<c>_catalog</c>, search and the admin API).
/// </summary>
/// <param name="Prefix">Only names that begin with this.</param>
public sealed record ListRepositoriesQuery(RequestedHost? Host, string Prefix, PageRequest Page, Principal Principal)
    : IRequest<Result<Page<RepositoryAddress>>>;

internal sealed class ListRepositoriesHandler(VisibleRepositories repositories)
    : IRequestHandler<ListRepositoriesQuery, Result<Page<RepositoryAddress>>>
{
    public async Task<Result<Page<RepositoryAddress>>> Handle(
        ListRepositoriesQuery query, CancellationToken cancellationToken)
        => await repositories.ListAsync(query.Host, query.Prefix, query.Page, query.Principal, cancellationToken);
}
