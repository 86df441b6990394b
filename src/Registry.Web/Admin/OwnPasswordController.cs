using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access.Users;
using Registry.Application.Registries;
using Registry.Web.Access;

namespace Registry.Web.Admin;

public sealed class OwnPasswordController(IMediator mediator, RegistryMap registries)
    : AdminController(mediator, registries)
{
    /// <summary>
    /// Gives the caller, a local user, another password. All tokens of that user end with it.
    /// </summary>
    [HttpPut("/api/v1/user/password"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [RequiresUser]
    [ProducesResponseType(204)]
    [ProducesResponseType<ProblemDetails>(403, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(429, "application/problem+json")]
    public async Task<IActionResult> Change(
        [FromBody] ChangeOwnPasswordRequest body, CancellationToken cancellationToken)
    {
        var changed = await Mediator.Send(
            new ChangeOwnPasswordCommand(
                RequestPrincipal.Of(HttpContext), body.OldPassword, body.NewPassword,
                HttpContext.Connection.RemoteIpAddress),
            cancellationToken);
        return changed.Match(_ => NoContent(), Problem);
    }
}

/// <param name="OldPassword" example="correct horse battery"></param>
/// <param name="NewPassword" example="staple on the table">8 to 512 characters, and not the name.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeOwnPasswordRequest([Required] string OldPassword, [Required] string NewPassword);
