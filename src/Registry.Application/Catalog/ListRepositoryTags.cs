using MediatR;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Catalog;

/// <summary>A page of repositories, each with its first tags (<c>GET /v2/tags/list</c>).</summary>
public sealed record ListRepositoryTagsQuery(RequestedHost? Host, PageRequest Page, Principal Principal)
    : IRequest<Result<Page<RepositoryTags>>>;

/// <param name="Name">As clients of this host call it.</param>
/// <param name="Tags">The first 1,000 of its tags; a list of its own has the others.</param>
public sealed record RepositoryTags(string Name, IReadOnlyList<string> Tags);

internal sealed class ListRepositoryTagsHandler(VisibleRepositories repositories, PullSources sources)
    : IRequestHandler<ListRepositoryTagsQuery, Result<Page<RepositoryTags>>>
{
    // Each entry carries a list of its own, and a page is held in memory.
    private const int MaxRepositories = 100;
    private const int MaxTags = 1000;

    public async Task<Result<Page<RepositoryTags>>> Handle(
        ListRepositoryTagsQuery query, CancellationToken cancellationToken)
    {
        var page = query.Page with { Size = Math.Min(query.Page.Size, MaxRepositories) };
        var names = await repositories.ListAsync(query.Host, prefix: "", page, query.Principal, cancellationToken);
        var result = new List<RepositoryTags>(names.Items.Count);
        foreach (var repository in names.Items)
        {
            var first = await sources.Of(repository.Identity).ListTagsAsync(
                repository.Identity, new(MaxTags, After: null), query.Principal, cancellationToken);
            result.Add(new(repository.ClientName.Value, first?.Items ?? []));
        }

        return new Page<RepositoryTags>(result, names.More);
    }
}
