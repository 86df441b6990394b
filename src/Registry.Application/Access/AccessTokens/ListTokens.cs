using MediatR;
using Registry.Application.Access.Robots;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.AccessTokens;

/// <summary>The caller's own tokens, or, for who may administer, those of everybody.</summary>
/// <param name="Caller">Null for the operator of this machine.</param>
/// <param name="All">Whether those of everybody are wanted.</param>
public sealed record ListTokensQuery(Principal? Caller, bool All, PageRequest Page)
    : IRequest<Result<Page<AccessToken>>>;

/// <summary>The tokens of a robot.</summary>
public sealed record ListRobotTokensQuery(RobotName Robot, PageRequest Page) : IRequest<Result<Page<AccessToken>>>;

/// <summary>The tokens of a user whom a provider knows.</summary>
public sealed record ListUserTokensQuery(string User, PageRequest Page) : IRequest<Result<Page<AccessToken>>>;

internal sealed class ListTokensHandler(IAccessTokens tokens, TokenDesk desk)
    : IRequestHandler<ListTokensQuery, Result<Page<AccessToken>>>
{
    public async Task<Result<Page<AccessToken>>> Handle(ListTokensQuery query, CancellationToken cancellationToken)
    {
        TokenOwner? owner = null;
        if (query.All && !desk.IsAdmin(query.Caller))
            return OciError.ActionDenied(RegistryAction.Admin);
        if (!query.All && query.Caller is { } caller
            && !(await desk.OwnerOfAsync(caller, cancellationToken)).TryGet(out owner, out var errors))
            return Result<Page<AccessToken>>.Refused(errors);
        return await tokens.ListAsync(owner, query.Page, cancellationToken);
    }
}

internal sealed class ListRobotTokensHandler(IAccessTokens tokens, IRobots robots)
    : IRequestHandler<ListRobotTokensQuery, Result<Page<AccessToken>>>
{
    public async Task<Result<Page<AccessToken>>> Handle(
        ListRobotTokensQuery query, CancellationToken cancellationToken)
        => await robots.FindAsync(query.Robot, cancellationToken) is null
            ? OciError.Unknown(Robot.Called(query.Robot))
            : await tokens.ListAsync(TokenOwner.Of(query.Robot), query.Page, cancellationToken);
}

internal sealed class ListUserTokensHandler(IAccessTokens tokens, Accounts accounts)
    : IRequestHandler<ListUserTokensQuery, Result<Page<AccessToken>>>
{
    public async Task<Result<Page<AccessToken>>> Handle(ListUserTokensQuery query, CancellationToken cancellationToken)
        => (await accounts.FindUserAsync(query.User, cancellationToken)).TryGet(out var user, out var errors)
            ? await tokens.ListAsync(TokenOwner.Of(user.Account!), query.Page, cancellationToken)
            : Result<Page<AccessToken>>.Refused(errors);
}
