using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Tags;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Web.Access;
using Registry.Web.Errors;

namespace Registry.Web.Distribution;

[DistributionRequest, ApiExplorerSettings(IgnoreApi = true)]
public sealed class TagsController(IMediator mediator) : ControllerBase
{
    private Principal Caller => RequestPrincipal.Of(HttpContext);

    [HttpGet("/v2/{name}/tags/list"), HttpHead("/v2/{name}/tags/list")] // end-8
    [RequiresAccess(RegistryAction.Pull)]
    public async Task<IActionResult> List(
        RepositoryAddress name, [FromQuery] string? n, [FromQuery] string? last, CancellationToken cancellationToken)
    {
        if (!PageRequest.TryParse(n, last, out var request))
            return OciErrorResult.From(OciError.PageInvalid(n));
        var listed = await mediator.Send(new ListTagsQuery(name, request, Caller), cancellationToken);
        return listed.Match(page => Deliver(name, request, page), OciErrorResult.From);
    }

    private IActionResult Deliver(RepositoryAddress name, PageRequest request, Page<string> page)
    {
        if (page.More)
            JsonResponse.LinkNext(HttpContext, request.Size, page.Items[^1]);
        return new JsonResponse("application/json", json =>
        {
            json.WriteStartObject();
            json.WriteString("name", name.ClientName.Value);
            json.WriteStartArray("tags");
            foreach (var tag in page.Items)
                json.WriteStringValue(tag);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }
}
