using MediatR;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Tags;

/// <summary>A page of a repository's tags (distribution-spec, end-8).</summary>
public sealed record ListTagsQuery(RepositoryAddress Repository, PageRequest Page, Principal Principal)
    : IRequest<Result<Page<string>>>;

internal sealed class ListTagsHandler(PullSources sources) : IRequestHandler<ListTagsQuery, Result<Page<string>>>
{
    public async Task<Result<Page<string>>> Handle(ListTagsQuery query, CancellationToken cancellationToken)
        => await sources.Of(query.Repository.Identity).ListTagsAsync(
            query.Repository.Identity, query.Page, query.Principal, cancellationToken) is { } page
            ? page
            : OciError.RepositoryUnknown(query.Repository.ClientName);
}
