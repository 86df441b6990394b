using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access.Sessions;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Web.Access;

namespace Registry.Web.Admin;

/// <summary>What lives on after a sign-in: refresh tokens and bearer tokens.</summary>
[RequiresUser]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status400BadRequest, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status401Unauthorized, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status403Forbidden, "application/problem+json")]
public sealed class SessionsController(IMediator mediator, RegistryMap registries)
    : AdminController(mediator, registries)
{
    /// <summary>The refresh tokens that count now, newest first, without their secrets; the newest 1,000.</summary>
    /// <param name="principal" example="user:alice">
    /// Whose, for who may administer: <c>user:NAME</c> or <c>robot:NAME</c>. Left out, the caller's own.
    /// </param>
    [HttpGet("/api/v1/sessions")]
    [ProducesResponseType<IReadOnlyList<SessionModel>>(200, "application/json")]
    public async Task<IActionResult> List([FromQuery] string? principal, CancellationToken cancellationToken)
    {
        if (!Read(principal).TryGet(out var of, out var errors))
            return Problem(errors);
        var listed = await Mediator.Send(
            new ListSessionsQuery(RequestPrincipal.Of(HttpContext), of), cancellationToken);
        return listed.Match(sessions => Ok(sessions.Select(SessionModel.Of)), Problem);
    }

    /// <summary>
    /// Ends all refresh and bearer tokens that were issued up to now. Passwords and access tokens go on counting.
    /// </summary>
    /// <param name="principal" example="user:alice">
    /// Whose, for who may administer: <c>user:NAME</c>, <c>robot:NAME</c> or <c>workload:ISSUER/NAME</c>. Left out,
    /// the caller's own.
    /// </param>
    [HttpDelete("/api/v1/sessions")]
    [ProducesResponseType<RevokedSessionsModel>(200, "application/json")]
    public async Task<IActionResult> Revoke([FromQuery] string? principal, CancellationToken cancellationToken)
    {
        if (!Read(principal).TryGet(out var of, out var errors))
            return Problem(errors);
        var revoked = await Mediator.Send(
            new RevokeSessionsCommand(RequestPrincipal.Of(HttpContext), of), cancellationToken);
        return revoked.Match(
            sessions => Ok(new RevokedSessionsModel(sessions.Principal, sessions.RefreshTokens)), Problem);
    }

    // A group or a claim names many.
    private static readonly string[] Kinds = ["user:", "robot:", "workload:"];

    private static Result<AccessSubject?> Read(string? principal)
        => principal is null ? Result<AccessSubject?>.Of(null)
            : AccessSubject.TryParse(principal, out var subject) && subject != AccessSubject.Everyone
                && Kinds.Any(kind => subject.Text.StartsWith(kind, StringComparison.Ordinal))
                ? subject
                : OciError.RequestInvalid(
                    $"principal is '{OciError.Shorten(principal)}', it must be user:NAME, robot:NAME or "
                    + "workload:ISSUER/NAME.");
}

/// <param name="Provider" example="local">Who has found the principal.</param>
/// <param name="Service" example="registry.example.com">The host that it is for.</param>
public sealed record SessionModel(
    string Provider, string Service, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt)
{
    internal static SessionModel Of(RefreshSession session)
        => new(session.Provider, session.Service, session.IssuedAt, session.ExpiresAt);
}

/// <param name="Principal" example="user:alice">Whose tokens were ended.</param>
/// <param name="RefreshTokens" example="2">How many refresh tokens there were.</param>
public sealed record RevokedSessionsModel(string Principal, int RefreshTokens);
