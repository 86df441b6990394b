using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Users;

/// <summary>One of the local users.</summary>
public sealed record FindUserQuery(AccountName Name) : IRequest<Result<LocalUser>>;

internal sealed class FindUserHandler(ILocalUsers users) : IRequestHandler<FindUserQuery, Result<LocalUser>>
{
    public async Task<Result<LocalUser>> Handle(FindUserQuery query, CancellationToken cancellationToken)
        => await users.FindAsync(query.Name, cancellationToken) is { } user
            ? user
            : OciError.Unknown($"User '{query.Name}'");
}
