using System.Text.Json.Serialization;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access;
using Registry.Application.Access.Rules;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Web.Access;

namespace Registry.Web.Admin;

/// <summary>
/// Access rules in the database. They count together with those of the configuration, which are not shown here.
/// </summary>
[RequiresAdmin]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status400BadRequest, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status401Unauthorized, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status403Forbidden, "application/problem+json")]
public sealed class RulesController(IMediator mediator, RegistryMap registries) : AdminController(mediator, registries)
{
    /// <summary>The rules, in byte order of their ids.</summary>
    /// <param name="n" example="100">How many at most; 10,000 when left out.</param>
    /// <param name="last" example="5f3a09c1d2e4b687">Only ids behind this one.</param>
    [HttpGet("/api/v1/rules")]
    [ProducesResponseType<PageModel<RuleModel>>(200, "application/json")]
    public async Task<IActionResult> List(
        [FromQuery] string? n, [FromQuery] string? last, CancellationToken cancellationToken)
    {
        if (!ReadPage(n, last).TryGet(out var page, out var errors))
            return Problem(errors);
        var listed = await Mediator.Send(new ListRulesQuery(page), cancellationToken);
        return listed.Match(found => Ok(ToModel(found, RuleModel.Of, rule => rule.Id)), Problem);
    }

    /// <summary>One rule.</summary>
    /// <param name="id" example="5f3a09c1d2e4b687">Its id.</param>
    [HttpGet("/api/v1/rules/{id}")]
    [ProducesResponseType<RuleModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    public async Task<IActionResult> Get(string id, CancellationToken cancellationToken)
    {
        var found = await Mediator.Send(new GetRuleQuery(id), cancellationToken);
        return found.Match(Shown, Problem);
    }

    /// <summary>Makes a rule, which counts at once.</summary>
    [HttpPost("/api/v1/rules"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<RuleModel>(201, "application/json")]
    [ProducesResponseType<ProblemDetails>(409, "application/problem+json")]
    public async Task<IActionResult> Create([FromBody] RuleRequest body, CancellationToken cancellationToken)
    {
        if (!body.Read().TryGet(out var settings, out var errors))
            return Problem(errors);
        var made = await Mediator.Send(new CreateRuleCommand(settings), cancellationToken);
        return made.Match(
            rule =>
            {
                EntityVersion.Show(Response, rule.Version);
                return Created($"/api/v1/rules/{rule.Id}", RuleModel.Of(rule));
            },
            Problem);
    }

    /// <summary>
    /// Puts another rule in the place of one. With <c>If-Match</c>, only while nobody else has changed it.
    /// </summary>
    /// <param name="id" example="5f3a09c1d2e4b687">Its id.</param>
    [HttpPut("/api/v1/rules/{id}"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<RuleModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(409, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Replace(
        string id, [FromBody] RuleRequest body, CancellationToken cancellationToken)
    {
        if (!body.Read().TryGet(out var settings, out var errors))
            return Problem(errors);
        var replaced = await Mediator.Send(
            new ReplaceRuleCommand(id, settings, EntityVersion.Wanted(Request)), cancellationToken);
        return replaced.Match(Shown, Problem);
    }

    /// <summary>Takes a rule away. With <c>If-Match</c>, only while nobody else has changed it.</summary>
    /// <param name="id" example="5f3a09c1d2e4b687">Its id.</param>
    [HttpDelete("/api/v1/rules/{id}")]
    [ProducesResponseType(204)]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(409, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Delete(string id, CancellationToken cancellationToken)
    {
        var deleted = await Mediator.Send(
            new DeleteRuleCommand(id, EntityVersion.Wanted(Request)), cancellationToken);
        return deleted.Match(_ => NoContent(), Problem);
    }

    private IActionResult Shown(StoredRule rule)
    {
        EntityVersion.Show(Response, rule.Version);
        return Ok(RuleModel.Of(rule));
    }
}

/// <param name="Subject" example="group:dev">
/// Whom it is about: <c>everyone</c>, <c>user:NAME</c>, <c>group:NAME</c>, <c>robot:NAME</c> or
/// <c>claim:NAME=VALUE</c>.
/// </param>
/// <param name="Registry" example="default">The registry it is about; left out, all of them.</param>
/// <param name="Repositories" example="[&quot;team/**&quot;]">
/// Patterns of names inside the registry: <c>*</c> within a component, <c>**</c> across.
/// </param>
/// <param name="Actions" example="[&quot;pull&quot;, &quot;push&quot;]">
/// Some of <c>pull</c>, <c>push</c>, <c>overwrite</c>, <c>delete</c>, <c>admin</c>.
/// </param>
/// <param name="Effect" example="allow"><c>allow</c>, also when left out, or <c>deny</c>, which wins.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RuleRequest(
    string Subject, string? Registry, IReadOnlyList<string> Repositories, IReadOnlyList<string> Actions,
    string? Effect)
{
    internal Result<AccessRuleSettings> Read() => RuleInput.Read(Subject, Registry, Repositories, Actions, Effect);
}

/// <param name="Id" example="5f3a09c1d2e4b687"></param>
/// <param name="Subject" example="group:dev">Whom it is about.</param>
/// <param name="Registry" example="default">Null for all of them.</param>
/// <param name="Effect" example="allow"><c>allow</c> or <c>deny</c>.</param>
public sealed record RuleModel(
    string Id, string Subject, string? Registry, IReadOnlyList<string> Repositories, IReadOnlyList<string> Actions,
    string Effect, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static RuleModel Of(StoredRule stored)
    {
        var grant = GrantModel.Of(stored.Rule.Grant);
        return new(
            stored.Id, stored.Rule.Subject.Text, grant.Registry, grant.Repositories, grant.Actions,
            Show(stored.Rule), stored.CreatedAt, stored.UpdatedAt);
    }

    internal static string Show(AccessRule rule) => rule.Denies ? "deny" : "allow";
}
