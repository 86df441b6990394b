using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Sessions;

/// <summary>The newest refresh tokens of the caller, or, for who may administer, of somebody else.</summary>
/// <param name="Of">Null for the caller.</param>
public sealed record ListSessionsQuery(Principal Caller, AccessSubject? Of)
    : IRequest<Result<IReadOnlyList<RefreshSession>>>;

internal sealed class ListSessionsHandler(ITokenSessions sessions, IAccessPolicy access)
    : IRequestHandler<ListSessionsQuery, Result<IReadOnlyList<RefreshSession>>>
{
    private const int MaxSessions = 1000;

    public async Task<Result<IReadOnlyList<RefreshSession>>> Handle(
        ListSessionsQuery query, CancellationToken cancellationToken)
        => SessionOwner.Of(query.Caller, query.Of, access).TryGet(out var principal, out var errors)
            ? Result<IReadOnlyList<RefreshSession>>.Of(
                await sessions.ListAsync(principal, MaxSessions, cancellationToken))
            : Result<IReadOnlyList<RefreshSession>>.Refused(errors);
}
