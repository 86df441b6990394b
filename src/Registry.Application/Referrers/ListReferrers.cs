using MediatR;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Referrers;

/// <summary>A page of what refers to a digest (distribution-spec, end-12); never "not found".</summary>
public sealed record ListReferrersQuery(
    RepositoryIdentity Repository, Digest Subject, string? ArtifactType, PageRequest Page, Principal Principal)
    : IRequest<Result<Page<Referrer>>>;

internal sealed class ListReferrersHandler(PullSources sources)
    : IRequestHandler<ListReferrersQuery, Result<Page<Referrer>>>
{
    public Task<Result<Page<Referrer>>> Handle(ListReferrersQuery query, CancellationToken cancellationToken)
        => sources.Of(query.Repository).ListReferrersAsync(
            query.Repository, query.Subject, query.ArtifactType, query.Page, query.Principal, cancellationToken);
}
