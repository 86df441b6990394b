using System.Text.Json.Serialization;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access.Robots;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Web.Access;

namespace Registry.Web.Admin;

/// <summary>Accounts of programs, which sign in with access tokens alone.</summary>
[RequiresAdmin]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status400BadRequest, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status401Unauthorized, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status403Forbidden, "application/problem+json")]
public sealed class RobotsController(IMediator mediator, RegistryMap registries) : AdminController(mediator, registries)
{
    /// <summary>The robots, in byte order of their names.</summary>
    /// <param name="n" example="100">How many at most; 10,000 when left out.</param>
    /// <param name="last" example="ci">Only names behind this one.</param>
    [HttpGet("/api/v1/robots")]
    [ProducesResponseType<PageModel<RobotModel>>(200, "application/json")]
    public async Task<IActionResult> List(
        [FromQuery] string? n, [FromQuery] string? last, CancellationToken cancellationToken)
    {
        if (!ReadPage(n, last).TryGet(out var page, out var errors))
            return Problem(errors);
        var listed = await Mediator.Send(new ListRobotsQuery(page), cancellationToken);
        return listed.Match(found => Ok(ToModel(found, RobotModel.Of, robot => robot.Name.Value)), Problem);
    }

    /// <summary>One robot.</summary>
    /// <param name="name" example="ci">Its name.</param>
    [HttpGet("/api/v1/robots/{name}")]
    [ProducesResponseType<RobotModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    public async Task<IActionResult> Get(string name, CancellationToken cancellationToken)
    {
        if (!RobotInput.Read(name).TryGet(out var robot, out var errors))
            return Problem(errors);
        var found = await Mediator.Send(new GetRobotQuery(robot), cancellationToken);
        return found.Match(Shown, Problem);
    }

    /// <summary>Makes a robot. It needs a token to sign in, and a rule to do anything.</summary>
    [HttpPost("/api/v1/robots"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<RobotModel>(201, "application/json")]
    [ProducesResponseType<ProblemDetails>(409, "application/problem+json")]
    public async Task<IActionResult> Create([FromBody] CreateRobotRequest body, CancellationToken cancellationToken)
    {
        if (!RobotInput.Read(body.Name).TryGet(out var name, out var errors))
            return Problem(errors);
        var made = await Mediator.Send(new CreateRobotCommand(name, body.Description ?? ""), cancellationToken);
        return made.Match(
            robot =>
            {
                EntityVersion.Show(Response, robot.Version);
                return Created($"/api/v1/robots/{robot.Name}", RobotModel.Of(robot));
            },
            Problem);
    }

    /// <summary>
    /// Changes a robot's description, or whether its tokens count. With <c>If-Match</c>, only while nobody else has
    /// changed it.
    /// </summary>
    /// <param name="name" example="ci">Its name.</param>
    [HttpPatch("/api/v1/robots/{name}"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<RobotModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Change(
        string name, [FromBody] ChangeRobotRequest body, CancellationToken cancellationToken)
    {
        if (!RobotInput.Read(name).TryGet(out var robot, out var errors))
            return Problem(errors);
        var changed = await Mediator.Send(
            new ChangeRobotCommand(robot, body.Description, body.Enabled, EntityVersion.Wanted(Request)),
            cancellationToken);
        return changed.Match(Shown, Problem);
    }

    /// <summary>
    /// Removes a robot with its tokens. Rules that name it stay. With <c>If-Match</c>, only while nobody else has
    /// changed it.
    /// </summary>
    /// <param name="name" example="ci">Its name.</param>
    [HttpDelete("/api/v1/robots/{name}")]
    [ProducesResponseType(204)]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Delete(string name, CancellationToken cancellationToken)
    {
        if (!RobotInput.Read(name).TryGet(out var robot, out var errors))
            return Problem(errors);
        var deleted = await Mediator.Send(
            new DeleteRobotCommand(robot, EntityVersion.Wanted(Request)), cancellationToken);
        return deleted.Match(_ => NoContent(), Problem);
    }

    private IActionResult Shown(Robot robot)
    {
        EntityVersion.Show(Response, robot.Version);
        return Ok(RobotModel.Of(robot));
    }
}

/// <summary>Names of robots as requests and commands give them.</summary>
internal static class RobotInput
{
    public static Result<RobotName> Read(string? text)
        => RobotName.TryParse(text, out var name)
            ? name
            : OciError.RequestInvalid(
                $"'{OciError.Shorten(text)}' is no name of a robot: {RobotName.Form}.");
}

/// <param name="Name" example="ci">
/// Up to 64 lower-case letters, digits and inner <c>.</c>, <c>_</c>, <c>-</c>.
/// </param>
/// <param name="Description" example="Builds of the team">One line, up to 255 characters.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateRobotRequest(string Name, string? Description);

/// <param name="Description" example="Builds of the team">Left out, it stays.</param>
/// <param name="Enabled" example="false">Whether its tokens count. Left out, it stays.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeRobotRequest(string? Description, bool? Enabled);

/// <param name="Name" example="ci">What rules call it: <c>robot:ci</c>.</param>
/// <param name="Login" example="robot+ci">The user name to show with one of its tokens.</param>
/// <param name="Description" example="Builds of the team"></param>
/// <param name="Enabled" example="true">Whether its tokens count.</param>
public sealed record RobotModel(
    string Name, string Login, string Description, bool Enabled, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static RobotModel Of(Robot robot)
        => new(
            robot.Name.Value, robot.Name.LoginName, robot.Description, robot.Enabled, robot.CreatedAt,
            robot.UpdatedAt);
}
