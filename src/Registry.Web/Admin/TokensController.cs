using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access.AccessTokens;
using Registry.Application.Registries;
using Registry.Domain.Errors;
using Registry.Web.Access;

namespace Registry.Web.Admin;

/// <summary>
/// The caller's own access tokens, which stand where its password stands. They are managed with the password, or with
/// a token that is not limited.
/// </summary>
[RequiresUser]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status400BadRequest, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status401Unauthorized, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status403Forbidden, "application/problem+json")]
public sealed class TokensController(IMediator mediator, RegistryMap registries) : AdminController(mediator, registries)
{
    /// <summary>The caller's tokens, or those of everybody, in byte order of their ids.</summary>
    /// <param name="all" example="false">Whether those of everybody, for who may administer.</param>
    /// <param name="n" example="100">How many at most; 10,000 when left out.</param>
    /// <param name="last" example="0f3c52a1b7d4e6f80912">Only ids behind this one.</param>
    [HttpGet("/api/v1/tokens")]
    [ProducesResponseType<PageModel<AccessTokenModel>>(200, "application/json")]
    public async Task<IActionResult> List(
        [FromQuery] string? all, [FromQuery] string? n, [FromQuery] string? last, CancellationToken cancellationToken)
    {
        if (!bool.TryParse(all ?? "false", out var everybodys))
            return Problem([OciError.RequestInvalid($"all is '{OciError.Shorten(all)}', it must be true or false.")]);
        if (!ReadPage(n, last).TryGet(out var page, out var errors))
            return Problem(errors);
        var listed = await Mediator.Send(
            new ListTokensQuery(RequestPrincipal.Of(HttpContext), everybodys, page), cancellationToken);
        return listed.Match(found => Ok(ToModel(found, AccessTokenModel.Of, token => token.Id)), Problem);
    }

    /// <summary>One token of the caller, or, for who may administer, of anybody.</summary>
    /// <param name="id" example="0f3c52a1b7d4e6f80912">Its id.</param>
    [HttpGet("/api/v1/tokens/{id}")]
    [ProducesResponseType<AccessTokenModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    public async Task<IActionResult> Get(string id, CancellationToken cancellationToken)
    {
        var found = await Mediator.Send(
            new GetTokenQuery(RequestPrincipal.Of(HttpContext), Robot: null, id), cancellationToken);
        return found.Match(token => AccessTokenResult.Shown(Response, token), Problem);
    }

    /// <summary>Makes a token for the caller. Its secret is in this answer and never shown again.</summary>
    [HttpPost("/api/v1/tokens"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<RevealedTokenModel>(201, "application/json")]
    public async Task<IActionResult> Create([FromBody] CreateTokenRequest body, CancellationToken cancellationToken)
    {
        if (!body.ToDraft().TryGet(out var draft, out var errors))
            return Problem(errors);
        var made = await Mediator.Send(
            new CreateOwnTokenCommand(RequestPrincipal.Of(HttpContext), draft), cancellationToken);
        return made.Match(token => AccessTokenResult.Created(Response, token, "/api/v1/tokens"), Problem);
    }

    /// <summary>
    /// Gives a token another secret, which is in this answer and never shown again. With <c>If-Match</c>, only while
    /// nobody else has changed it.
    /// </summary>
    /// <param name="id" example="0f3c52a1b7d4e6f80912">Its id.</param>
    [HttpPost("/api/v1/tokens/{id}/rotate"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<RevealedTokenModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Rotate(
        string id, [FromBody] RotateTokenRequest body, CancellationToken cancellationToken)
    {
        var rotated = await Mediator.Send(
            new RotateTokenCommand(
                RequestPrincipal.Of(HttpContext), Robot: null, id, TimeSpan.FromSeconds(body.OverlapSeconds ?? 0),
                EntityVersion.Wanted(Request)),
            cancellationToken);
        return rotated.Match(token => AccessTokenResult.Revealed(Response, token), Problem);
    }

    /// <summary>
    /// Takes a token away, and what was got with it. With <c>If-Match</c>, only while nobody else has changed it.
    /// </summary>
    /// <param name="id" example="0f3c52a1b7d4e6f80912">Its id.</param>
    [HttpDelete("/api/v1/tokens/{id}")]
    [ProducesResponseType(204)]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Revoke(string id, CancellationToken cancellationToken)
    {
        var revoked = await Mediator.Send(
            new RevokeTokenCommand(
                RequestPrincipal.Of(HttpContext), Robot: null, id, EntityVersion.Wanted(Request)),
            cancellationToken);
        return revoked.Match(_ => NoContent(), Problem);
    }
}
