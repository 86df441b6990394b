using MediatR;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Users;

/// <summary>The local users, in byte order of their names.</summary>
public sealed record ListUsersQuery(UserFilter Filter, PageRequest Page) : IRequest<Result<Page<LocalUser>>>;

internal sealed class ListUsersHandler(ILocalUsers users) : IRequestHandler<ListUsersQuery, Result<Page<LocalUser>>>
{
    public async Task<Result<Page<LocalUser>>> Handle(ListUsersQuery query, CancellationToken cancellationToken)
        => await users.ListAsync(query.Filter, query.Page, cancellationToken);
}
