using System.ComponentModel.DataAnnotations;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Registries;
using Registry.Application.Tags;
using Registry.Domain.Access;
using Registry.Web.Access;

namespace Registry.Web.Admin;

public sealed class TagsController(IMediator mediator, RegistryMap registries) : AdminController(mediator, registries)
{
    /// <summary>A repository's tags with what they point at, in byte order.</summary>
    /// <param name="repository" example="team/app">The repository, as clients of this host call it.</param>
    /// <param name="n" example="100">How many at most; 10,000 when left out.</param>
    /// <param name="last" example="v1">Only tags behind this one.</param>
    [HttpGet("/api/v1/tags")]
    [RequiresAccess(RegistryAction.Pull)]
    [ProducesResponseType<PageModel<TaggedManifest>>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    public async Task<IActionResult> List(
        [FromQuery, Required] string? repository, [FromQuery] string? n, [FromQuery] string? last,
        CancellationToken cancellationToken)
    {
        if (!ReadPage(n, last).TryGet(out var page, out var errors)
            || !Resolve(repository).TryGet(out var address, out errors))
            return Problem(errors);
        var listed = await Mediator.Send(new ListTaggedManifestsQuery(address, page, Caller), cancellationToken);
        return listed.Match(found => Ok(ToModel(found, tag => tag, tag => tag.Tag)), Problem);
    }
}
