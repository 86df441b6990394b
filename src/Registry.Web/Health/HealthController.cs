using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Health;
using Registry.Web.Access;
using Registry.Web.Errors;

namespace Registry.Web.Health;

/// <summary>For load balancers and supervisors; open to everybody, tells nobody what is stored.</summary>
[ApiExplorerSettings(IgnoreApi = true)]
public sealed class HealthController(IMediator mediator) : ControllerBase
{
    /// <summary>The process answers.</summary>
    [HttpGet("/healthz/live"), HttpHead("/healthz/live")]
    [HttpGet("/healthz/startup"), HttpHead("/healthz/startup"), PublicEndpoint]
    public IActionResult Live() => Ok(new { status = "ok" }); // requests are taken once everything has been opened

    /// <summary>Every part that requests need works; 503 otherwise.</summary>
    [HttpGet("/healthz/ready"), HttpHead("/healthz/ready"), PublicEndpoint]
    public async Task<IActionResult> Ready(CancellationToken cancellationToken)
    {
        var checks = await mediator.Send(new CheckReadinessQuery(), cancellationToken);
        return checks.Match(
            parts => StatusCode(
                parts.All(part => part.Problem is null)
                    ? StatusCodes.Status200OK
                    : StatusCodes.Status503ServiceUnavailable,
                new { status = parts.All(part => part.Problem is null) ? "ok" : "failing", parts }),
            OciErrorResult.From);
    }
}
