using MediatR;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Tags;

/// <summary>A page of a repository's tags with what they point at, for the admin API.</summary>
public sealed record ListTaggedManifestsQuery(RepositoryAddress Repository, PageRequest Page, Principal Principal)
    : IRequest<Result<Page<TaggedManifest>>>;

internal sealed class ListTaggedManifestsHandler(PullSources sources)
    : IRequestHandler<ListTaggedManifestsQuery, Result<Page<TaggedManifest>>>
{
    public async Task<Result<Page<TaggedManifest>>> Handle(
        ListTaggedManifestsQuery query, CancellationToken cancellationToken)
        => await sources.Of(query.Repository.Identity).ListTaggedManifestsAsync(
            query.Repository.Identity, query.Page, query.Principal, cancellationToken) is { } page
            ? page
            : OciError.RepositoryUnknown(query.Repository.ClientName);
}
