using MediatR;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Access.Tokens;

/// <summary>
/// Issues a bearer token for what is asked for and allowed (Docker token specification, "Requesting a Token").
/// </summary>
/// <param name="Host">The host of the request, which says what repository names mean.</param>
/// <param name="Ns">As <paramref name="Host"/>: the query parameter <c>ns</c> of clients that use a mirror.</param>
/// <param name="Service">The host with its port, as the challenge has named it.</param>
/// <param name="Scopes">Such as <c>repository:team/app:pull,push</c> or <c>registry:catalog:*</c>.</param>
/// <param name="WithRefresh">Whether a refresh token is wanted too; nobody gets one without credentials.</param>
public sealed record IssueTokenCommand(
    Principal Principal, RequestedHost Host, string? Ns, string Service, IReadOnlyList<string> Scopes, bool WithRefresh)
    : IRequest<Result<IssuedToken>>;

/// <param name="RefreshToken">Null when none was wanted, or none can be had.</param>
public sealed record IssuedToken(BearerToken Token, string? RefreshToken);

internal sealed class IssueTokenHandler(ITokenIssuer issuer, IAccessPolicy access, RegistryMap registries)
    : IRequestHandler<IssueTokenCommand, Result<IssuedToken>>
{
    private const int MaxScopes = 100;

    public async Task<Result<IssuedToken>> Handle(IssueTokenCommand command, CancellationToken cancellationToken)
    {
        var principal = command.Principal;
        // A token gives what its credential gives or less, and never lives on by being exchanged for a new one.
        if (principal.Token is not null)
            return OciError.TokenInvalid("cannot be exchanged for another one: show the credentials");
        if (command.Scopes.Count > MaxScopes)
            return OciError.RequestInvalid(
                FormattableString.Invariant($"One token can be asked for up to {MaxScopes} scopes."));

        var granted = new Dictionary<RepositoryIdentity, TokenAccess>();
        var lists = false;
        foreach (var text in command.Scopes)
        {
            if (!RequestedScope.TryParse(text, out var scope))
                return OciError.RequestInvalid(
                    $"The scope '{OciError.Shorten(text)}' is not of the form type:name:actions.");
            if (scope.IsCatalog)
                lists |= principal.IsSignedIn || access.AllowsAnywhere(principal, RegistryAction.Pull);
            foreach (var grant in Grants(command, scope))
            {
                granted[grant.Repository] = granted.TryGetValue(grant.Repository, out var before)
                    ? grant with { Actions = [.. before.Actions.Union(grant.Actions)] }
                    : grant;
            }
        }

        var issued = await issuer.IssueAsync(
            new(principal, command.Service, [.. granted.Values], lists), cancellationToken);
        if (!issued.TryGet(out var token, out var errors))
            return Result<IssuedToken>.Refused(errors);
        var refresh = command.WithRefresh && principal.Account is { } account
            ? await issuer.IssueRefreshAsync(principal, account, command.Service, cancellationToken)
            : null;
        return new IssuedToken(token, refresh);
    }

    // What is pulled from a group is pulled under its own name, what is pushed to it goes to one of its members.
    private IEnumerable<TokenAccess> Grants(IssueTokenCommand command, RequestedScope scope)
    {
        if (scope.Repository is not { } name
            || registries.Resolve(command.Host, command.Ns, name) is not { } address)
            yield break;
        foreach (var repository in new[] { address.Identity, registries.ForChange(address).Identity }.Distinct())
        {
            RegistryAction[] allowed
                = [.. scope.Actions.Where(action => access.Allows(command.Principal, repository, action))];
            if (allowed.Length > 0)
                yield return new(name, repository, allowed);
        }
    }
}
