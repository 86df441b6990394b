using System.Text.Json;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Catalog;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Web.Access;
using Registry.Web.Errors;
using Registry.Web.Requests;

namespace Registry.Web.Distribution;

/// <summary>
/// Lists over all repositories, which the distribution-spec leaves to the registry; they show what the caller may pull.
/// </summary>
[DistributionRequest, ApiExplorerSettings(IgnoreApi = true)]
public sealed class CatalogController(IMediator mediator) : ControllerBase
{
    // Docker's own page length for a search.
    private const string SearchPage = "25";

    [HttpGet("/v2/_catalog"), HttpHead("/v2/_catalog")]
    [RequiresAccess(RegistryAction.Pull)]
    public Task<IActionResult> List(
        [FromQuery] string? n, [FromQuery] string? last, CancellationToken cancellationToken)
        => ListAsync(
            "",
            n,
            last,
            (json, page) =>
            {
                json.WriteStartArray("repositories");
                foreach (var repository in page.Items)
                    json.WriteStringValue(repository.ClientName.Value);
                json.WriteEndArray();
            },
            cancellationToken);

    [HttpGet("/v2/tags/list"), HttpHead("/v2/tags/list")]
    [RequiresAccess(RegistryAction.Pull)]
    public async Task<IActionResult> ListTags(
        [FromQuery] string? n, [FromQuery] string? last, CancellationToken cancellationToken)
    {
        if (!PageRequest.TryParse(n, last, out var request))
            return OciErrorResult.From(OciError.PageInvalid(n));
        var listed = await mediator.Send(
            new ListRepositoryTagsQuery(Request.RequestedHost(), request, RequestPrincipal.ForLists(HttpContext)),
            cancellationToken);
        return listed.Match(page => Deliver(page, request), OciErrorResult.From);
    }

    [HttpGet("/v1/search"), HttpHead("/v1/search")]
    [RequiresAccess(RegistryAction.Pull)]
    public Task<IActionResult> Search(
        [FromQuery] string? q, [FromQuery] string? n, [FromQuery] string? last, CancellationToken cancellationToken)
        => ListAsync(
            q ?? "",
            n ?? SearchPage,
            last,
            (json, page) =>
            {
                json.WriteNumber("num_results", page.Items.Count);
                json.WriteString("query", q);
                json.WriteStartArray("results");
                foreach (var repository in page.Items)
                {
                    json.WriteStartObject();
                    json.WriteString("name", repository.ClientName.Value);
                    json.WriteString("description", "");
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            },
            cancellationToken);

    private async Task<IActionResult> ListAsync(
        string prefix,
        string? n,
        string? last,
        Action<Utf8JsonWriter, Page<Domain.Repositories.RepositoryAddress>> write,
        CancellationToken cancellationToken)
    {
        if (!PageRequest.TryParse(n, last, out var request))
            return OciErrorResult.From(OciError.PageInvalid(n));
        var listed = await mediator.Send(
            new ListRepositoriesQuery(Request.RequestedHost(), prefix, request, RequestPrincipal.ForLists(HttpContext)),
            cancellationToken);
        return listed.Match<IActionResult>(
            page =>
            {
                if (page.More)
                    JsonResponse.LinkNext(HttpContext, request.Size, page.Items[^1].ClientName.Value);
                return new JsonResponse("application/json", json =>
                {
                    json.WriteStartObject();
                    write(json, page);
                    json.WriteEndObject();
                });
            },
            OciErrorResult.From);
    }

    private IActionResult Deliver(Page<RepositoryTags> page, PageRequest request)
    {
        if (page.More)
            JsonResponse.LinkNext(HttpContext, request.Size, page.Items[^1].Name);
        return new JsonResponse("application/json", json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("repositories");
            foreach (var repository in page.Items)
            {
                json.WriteStartObject();
                json.WriteString("name", repository.Name);
                json.WriteStartArray("tags");
                foreach (var tag in repository.Tags)
                    json.WriteStringValue(tag);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }
}
