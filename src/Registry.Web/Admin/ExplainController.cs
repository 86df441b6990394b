using System.ComponentModel.DataAnnotations;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access.Rules;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Web.Access;
using Registry.Web.Requests;

namespace Registry.Web.Admin;

[RequiresAdmin]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status400BadRequest, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status401Unauthorized, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status403Forbidden, "application/problem+json")]
public sealed class ExplainController(IMediator mediator, RegistryMap registries)
    : AdminController(mediator, registries)
{
    /// <summary>
    /// Whether somebody may do something in a repository, and which rule says so. With neither user, robot nor group it
    /// is about clients without credentials.
    /// </summary>
    /// <param name="repository" example="team/app">The repository, as clients of this host call it.</param>
    /// <param name="action" example="push">
    /// One of <c>pull</c>, <c>push</c>, <c>overwrite</c>, <c>delete</c>, <c>admin</c>.
    /// </param>
    /// <param name="user" example="alice">A user, in the groups that its provider says now.</param>
    /// <param name="robot" example="ci">A robot.</param>
    /// <param name="group" example="dev">
    /// A group, any number of times: of the user, whatever its provider says, or of nobody in particular.
    /// </param>
    [HttpGet("/api/v1/explain")]
    [ProducesResponseType<ExplanationModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    public async Task<IActionResult> Explain(
        [FromQuery, Required] string? repository, [FromQuery, Required] string? action, [FromQuery] string? user,
        [FromQuery] string? robot, [FromQuery] string[]? group, CancellationToken cancellationToken)
    {
        if (!ExplainInput.Read(user, robot, group ?? [], Request.RequestedHost(), repository, action)
                .TryGet(out var query, out var errors))
            return Problem(errors);
        var explained = await Mediator.Send(query, cancellationToken);
        return explained.Match(explanation => Ok(ExplanationModel.Of(explanation, query.Action)), Problem);
    }
}

/// <summary>The question as requests and commands put it.</summary>
internal static class ExplainInput
{
    private const int MaxGroups = 1000;

    public static Result<ExplainAccessQuery> Read(
        string? user, string? robot, IReadOnlyList<string> groups, RequestedHost? host, string? repository,
        string? action)
    {
        RobotName? name = null;
        if (robot is not null && !RobotInput.Read(robot).TryGet(out name, out var errors))
            return Result<ExplainAccessQuery>.Refused(errors);
        if (string.IsNullOrEmpty(repository))
            return OciError.ParameterMissing("repository");
        if (!RepositoryName.TryParse(repository, out var called))
            return OciError.NameInvalid(repository);
        if (string.IsNullOrEmpty(action))
            return OciError.ParameterMissing("action");
        if (groups.Count > MaxGroups)
            return OciError.RequestInvalid($"Up to {MaxGroups} groups can be named.");
        return RuleInput.ReadAction(action).TryGet(out var asked, out errors)
            ? new ExplainAccessQuery(user, name, groups, host, called, asked)
            : Result<ExplainAccessQuery>.Refused(errors);
    }
}

/// <param name="Principal" example="user:alice">Who it is about.</param>
/// <param name="Subjects">What rules can call it besides <c>everyone</c>.</param>
/// <param name="Registry" example="default">The registry that the repository is in.</param>
/// <param name="Repository" example="team/app">Its name there, which patterns are compared with.</param>
/// <param name="Action" example="push"></param>
/// <param name="Allowed" example="true"></param>
/// <param name="Source" example="rule 5f3a09c1d2e4b687">
/// What has decided: the key of a rule in the configuration, the id of one in the database, or the reason in words.
/// </param>
/// <param name="Rule">Null where no rule has decided.</param>
public sealed record ExplanationModel(
    string Principal, IReadOnlyList<string> Subjects, string Registry, string Repository, string Action, bool Allowed,
    string Source, DecidingRuleModel? Rule)
{
    internal static ExplanationModel Of(ExplainedAccess explained, RegistryAction action)
        => new(
            explained.Principal.Name, [.. explained.Principal.Subjects.Select(subject => subject.Text)],
            explained.Repository.Registry.Value, explained.Repository.Name.Value, RuleInput.Show(action),
            explained.Decision.Allowed, explained.Decision.Source,
            explained.Decision.Rule is { } rule ? DecidingRuleModel.Of(rule) : null);
}

/// <param name="Subject" example="group:dev"></param>
/// <param name="Registry" example="default">Null for all of them.</param>
/// <param name="Effect" example="allow"><c>allow</c> or <c>deny</c>.</param>
public sealed record DecidingRuleModel(
    string Subject, string? Registry, IReadOnlyList<string> Repositories, IReadOnlyList<string> Actions, string Effect)
{
    internal static DecidingRuleModel Of(AccessRule rule)
    {
        var grant = GrantModel.Of(rule.Grant);
        return new(rule.Subject.Text, grant.Registry, grant.Repositories, grant.Actions, RuleModel.Show(rule));
    }
}
