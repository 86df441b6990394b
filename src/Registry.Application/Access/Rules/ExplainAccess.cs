using MediatR;
using Registry.Application.Access.Robots;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Access.Rules;

/// <summary>
/// What somebody may do in a repository, and which rule says so: a user, a robot, or, with neither and no groups,
/// everybody.
/// </summary>
/// <param name="User">In today's groups, unless <paramref name="Groups"/> names others.</param>
/// <param name="Groups">Groups as they are to be taken for given, of the user or of nobody in particular.</param>
/// <param name="Host">The host that clients use; null for none in particular.</param>
/// <param name="Repository">As clients call it.</param>
public sealed record ExplainAccessQuery(
    string? User, RobotName? Robot, IReadOnlyList<string> Groups, RequestedHost? Host, RepositoryName Repository,
    RegistryAction Action)
    : IRequest<Result<ExplainedAccess>>;

public sealed record ExplainedAccess(Principal Principal, RepositoryIdentity Repository, AccessDecision Decision);

internal sealed class ExplainAccessHandler(
    IAccessPolicy access, RegistryMap registries, Accounts accounts, IRobots robots)
    : IRequestHandler<ExplainAccessQuery, Result<ExplainedAccess>>
{
    public async Task<Result<ExplainedAccess>> Handle(ExplainAccessQuery query, CancellationToken cancellationToken)
    {
        if (query.User is not null && query.Robot is not null)
            return OciError.RequestInvalid("Name a user or a robot, not both.");
        if (query.Groups.FirstOrDefault(group => !AccessSubject.IsName(group)) is { } wrong)
            return OciError.RequestInvalid($"'{OciError.Shorten(wrong)}' is no group's name.");
        if (registries.Resolve(query.Host, ns: null, query.Repository) is not { Identity: var repository })
            return OciError.RepositoryUnknown(query.Repository);
        if (query.Robot is { } name)
            return await ExplainRobotAsync(name, repository, query.Action, cancellationToken);
        if (!(await FindAsync(query, cancellationToken)).TryGet(out var principal, out var errors))
            return Result<ExplainedAccess>.Refused(errors);
        return new ExplainedAccess(principal, repository, Decide(principal, repository, query.Action));
    }

    private async Task<Result<ExplainedAccess>> ExplainRobotAsync(
        RobotName name, RepositoryIdentity repository, RegistryAction action, CancellationToken cancellationToken)
    {
        if (await robots.FindAsync(name, cancellationToken) is not { } robot)
            return OciError.Unknown(Robot.Called(name));
        var principal = Principal.Robot(name.Value);
        return new ExplainedAccess(
            principal, repository,
            robot.Enabled
                ? Decide(principal, repository, action)
                : new(Allowed: false, "the robot is disabled", Rule: null));
    }

    private async Task<Result<Principal>> FindAsync(ExplainAccessQuery query, CancellationToken cancellationToken)
        => query switch
        {
            { User: { } user, Groups.Count: 0 } => await accounts.FindUserAsync(user, cancellationToken),
            { User: { } user } => AccessSubject.IsName(user)
                ? Principal.User(user, query.Groups)
                : OciError.RequestInvalid($"'{OciError.Shorten(user)}' is no user's name."),
            { Groups.Count: > 0 } => Principal.Of(
                AccessSubject.Group(query.Groups[0]), [.. query.Groups.Skip(1).Select(AccessSubject.Group)]),
            _ => Principal.Anonymous,
        };

    private AccessDecision Decide(Principal principal, RepositoryIdentity repository, RegistryAction action)
    {
        var decision = access.Explain(principal, repository, action);
        return action is RegistryAction.Admin && decision.Allowed
            && !access.AllowsEverywhere(principal, RegistryAction.Admin)
                ? new(
                    Allowed: false,
                    "only a rule about ** of all registries gives Admin, and none that denies it anywhere may fit",
                    Rule: null)
                : decision;
    }
}
