using MediatR;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Referrers;

/// <summary>A page of what refers to a digest (distribution-spec, end-12); never "not found".</summary>
public sealed record ListReferrersQuery(
    RepositoryIdentity Repository, Digest Subject, string? ArtifactType, PageRequest Page)
    : IRequest<Result<Page<Referrer>>>;

internal sealed class ListReferrersHandler(IReferrerIndex referrers)
    : IRequestHandler<ListReferrersQuery, Result<Page<Referrer>>>
{
    public async Task<Result<Page<Referrer>>> Handle(ListReferrersQuery query, CancellationToken cancellationToken)
        => await referrers.ListAsync(
            query.Repository, query.Subject, query.ArtifactType, query.Page, cancellationToken);
}
