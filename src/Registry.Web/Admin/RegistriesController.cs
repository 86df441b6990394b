using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Web.Access;

namespace Registry.Web.Admin;

public sealed class RegistriesController(IMediator mediator, RegistryMap registries)
    : AdminController(mediator, registries)
{
    /// <summary>The registries of this instance.</summary>
    [HttpGet("/api/v1/registries")]
    [RequiresAccess(RegistryAction.Pull)]
    [ProducesResponseType<IReadOnlyList<RegistryModel>>(200, "application/json")]
    public async Task<IActionResult> List(CancellationToken cancellationToken)
    {
        var listed = await Mediator.Send(
            new ListRegistriesQuery(RequestPrincipal.ForLists(HttpContext)), cancellationToken);
        return listed.Match(
            list => Ok(list.Select(registry => new RegistryModel(
                registry.Name, registry.Kind.ToString().ToLowerInvariant(), registry.Path, registry.Hosts))),
            Problem);
    }
}

/// <param name="Name">Its key in the configuration.</param>
/// <param name="Kind"><c>hosted</c>, <c>proxy</c> or <c>group</c>.</param>
/// <param name="Path">What its repositories' names begin with; empty at the root.</param>
/// <param name="Hosts">
/// Hosts under which it answers with bare repository names: a name, <c>*.suffix</c> or <c>*</c>, and perhaps a port.
/// </param>
public sealed record RegistryModel(string Name, string Kind, string Path, IReadOnlyList<string> Hosts);
