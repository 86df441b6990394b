using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access.AccessTokens;
using Registry.Application.Registries;
using Registry.Web.Access;

namespace Registry.Web.Admin;

/// <summary>The access tokens of robots, which sign in with nothing else.</summary>
[RequiresAdmin]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status400BadRequest, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status401Unauthorized, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status403Forbidden, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status404NotFound, "application/problem+json")]
public sealed class RobotTokensController(IMediator mediator, RegistryMap registries)
    : AdminController(mediator, registries)
{
    /// <summary>The robot's tokens, in byte order of their ids.</summary>
    /// <param name="name" example="ci">The robot.</param>
    /// <param name="n" example="100">How many at most; 10,000 when left out.</param>
    /// <param name="last" example="0f3c52a1b7d4e6f80912">Only ids behind this one.</param>
    [HttpGet("/api/v1/robots/{name}/tokens")]
    [ProducesResponseType<PageModel<AccessTokenModel>>(200, "application/json")]
    public async Task<IActionResult> List(
        string name, [FromQuery] string? n, [FromQuery] string? last, CancellationToken cancellationToken)
    {
        if (!RobotInput.Read(name).TryGet(out var robot, out var errors)
            || !ReadPage(n, last).TryGet(out var page, out errors))
            return Problem(errors);
        var listed = await Mediator.Send(new ListRobotTokensQuery(robot, page), cancellationToken);
        return listed.Match(found => Ok(ToModel(found, AccessTokenModel.Of, token => token.Id)), Problem);
    }

    /// <summary>One of the robot's tokens.</summary>
    /// <param name="name" example="ci">The robot.</param>
    /// <param name="id" example="0f3c52a1b7d4e6f80912">Its id.</param>
    [HttpGet("/api/v1/robots/{name}/tokens/{id}")]
    [ProducesResponseType<AccessTokenModel>(200, "application/json")]
    public async Task<IActionResult> Get(string name, string id, CancellationToken cancellationToken)
    {
        if (!RobotInput.Read(name).TryGet(out var robot, out var errors))
            return Problem(errors);
        var found = await Mediator.Send(
            new GetTokenQuery(RequestPrincipal.Of(HttpContext), robot, id), cancellationToken);
        return found.Match(token => AccessTokenResult.Shown(Response, token), Problem);
    }

    /// <summary>Makes a token for the robot. Its secret is in this answer and never shown again.</summary>
    /// <param name="name" example="ci">The robot.</param>
    [HttpPost("/api/v1/robots/{name}/tokens"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<RevealedTokenModel>(201, "application/json")]
    public async Task<IActionResult> Create(
        string name, [FromBody] CreateTokenRequest body, CancellationToken cancellationToken)
    {
        if (!RobotInput.Read(name).TryGet(out var robot, out var errors)
            || !body.ToDraft().TryGet(out var draft, out errors))
            return Problem(errors);
        var made = await Mediator.Send(
            new CreateRobotTokenCommand(RequestPrincipal.Of(HttpContext), robot, draft), cancellationToken);
        return made.Match(
            token => AccessTokenResult.Created(Response, token, $"/api/v1/robots/{robot}/tokens"), Problem);
    }

    /// <summary>
    /// Gives a token another secret, which is in this answer and never shown again. With <c>If-Match</c>, only while
    /// nobody else has changed it.
    /// </summary>
    /// <param name="name" example="ci">The robot.</param>
    /// <param name="id" example="0f3c52a1b7d4e6f80912">Its id.</param>
    [HttpPost("/api/v1/robots/{name}/tokens/{id}/rotate"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<RevealedTokenModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Rotate(
        string name, string id, [FromBody] RotateTokenRequest body, CancellationToken cancellationToken)
    {
        if (!RobotInput.Read(name).TryGet(out var robot, out var errors))
            return Problem(errors);
        var rotated = await Mediator.Send(
            new RotateTokenCommand(
                RequestPrincipal.Of(HttpContext), robot, id, TimeSpan.FromSeconds(body.OverlapSeconds ?? 0),
                EntityVersion.Wanted(Request)),
            cancellationToken);
        return rotated.Match(token => AccessTokenResult.Revealed(Response, token), Problem);
    }

    /// <summary>
    /// Takes a token away, and what was got with it. With <c>If-Match</c>, only while nobody else has changed it.
    /// </summary>
    /// <param name="name" example="ci">The robot.</param>
    /// <param name="id" example="0f3c52a1b7d4e6f80912">Its id.</param>
    [HttpDelete("/api/v1/robots/{name}/tokens/{id}")]
    [ProducesResponseType(204)]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Revoke(string name, string id, CancellationToken cancellationToken)
    {
        if (!RobotInput.Read(name).TryGet(out var robot, out var errors))
            return Problem(errors);
        var revoked = await Mediator.Send(
            new RevokeTokenCommand(
                RequestPrincipal.Of(HttpContext), robot, id, EntityVersion.Wanted(Request)),
            cancellationToken);
        return revoked.Match(_ => NoContent(), Problem);
    }
}
