using MediatR;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Tags;

/// <summary>A page of a repository's tags (distribution-spec, end-8).</summary>
public sealed record ListTagsQuery(RepositoryAddress Repository, PageRequest Page) : IRequest<Result<Page<string>>>;

internal sealed class ListTagsHandler(ITagIndex tags) : IRequestHandler<ListTagsQuery, Result<Page<string>>>
{
    public async Task<Result<Page<string>>> Handle(ListTagsQuery query, CancellationToken cancellationToken)
        => await tags.ListAsync(query.Repository.Identity, query.Page, cancellationToken) is { } page
            ? page
            : OciError.RepositoryUnknown(query.Repository.ClientName);
}
