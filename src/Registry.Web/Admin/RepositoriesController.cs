using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Catalog;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Web.Access;
using Registry.Web.Requests;

namespace Registry.Web.Admin;

public sealed class RepositoriesController(IMediator mediator, RegistryMap registries)
    : AdminController(mediator, registries)
{
    /// <summary>The repositories that the caller may pull from, in byte order of their names.</summary>
    /// <param name="prefix" example="team/">Only names that begin with this.</param>
    /// <param name="n" example="100">How many at most; 10,000 when left out.</param>
    /// <param name="last" example="team/app">Only names behind this one.</param>
    [HttpGet("/api/v1/repositories")]
    [RequiresAccess(RegistryAction.Pull)]
    [ProducesResponseType<PageModel<RepositoryModel>>(200, "application/json")]
    public async Task<IActionResult> List(
        [FromQuery] string? prefix, [FromQuery] string? n, [FromQuery] string? last,
        CancellationToken cancellationToken)
    {
        if (!ReadPage(n, last).TryGet(out var page, out var errors))
            return Problem(errors);
        var listed = await Mediator.Send(
            new ListRepositoriesQuery(
                Request.RequestedHost(), prefix ?? "", page, RequestPrincipal.ForLists(HttpContext)),
            cancellationToken);
        return listed.Match(
            found => Ok(ToModel(
                found,
                repository => new RepositoryModel(
                    repository.ClientName.Value, repository.Identity.Registry.Value, repository.Identity.Name.Value),
                repository => repository.ClientName.Value)),
            Problem);
    }
}

/// <param name="Name">As clients of this host call it.</param>
/// <param name="Registry">The registry it is in.</param>
/// <param name="NameInRegistry">Its name there, without the registry's path.</param>
public sealed record RepositoryModel(string Name, string Registry, string NameInRegistry);
