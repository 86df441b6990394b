using System.Text.Json;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Referrers;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Web.Access;
using Registry.Web.Errors;

namespace Registry.Web.Distribution;

[DistributionRequest, ApiExplorerSettings(IgnoreApi = true)]
public sealed class ReferrersController(IMediator mediator) : ControllerBase
{
    private Principal Caller => RequestPrincipal.Of(HttpContext);

    [HttpGet("/v2/{name}/referrers/{digest}"), HttpHead("/v2/{name}/referrers/{digest}")] // end-12
    [RequiresAccess(RegistryAction.Pull)]
    public async Task<IActionResult> List(
        RepositoryAddress name,
        Digest digest,
        [FromQuery] string? artifactType,
        [FromQuery] string? n,
        [FromQuery] string? last,
        CancellationToken cancellationToken)
    {
        if (!PageRequest.TryParse(n, last, out var request))
            return OciErrorResult.From(OciError.PageInvalid(n));
        if (request.After is not null && !Digest.TryParse(request.After, out _))
            return OciErrorResult.From(OciError.DigestInvalid(last));
        var type = string.IsNullOrEmpty(artifactType) ? null : artifactType;
        var listed = await mediator.Send(
            new ListReferrersQuery(name.Identity, digest, type, request, Caller), cancellationToken);
        return listed.Match(page => Deliver(request, type, page), OciErrorResult.From);
    }

    private IActionResult Deliver(PageRequest request, string? type, Page<Referrer> page)
    {
        if (type is not null)
            Response.Headers["OCI-Filters-Applied"] = "artifactType";
        if (page.More)
            JsonResponse.LinkNext(HttpContext, request.Size, page.Items[^1].Digest.ToString());
        return new JsonResponse(MediaType.OciIndex.Value, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", 2);
            json.WriteString("mediaType", MediaType.OciIndex.Value);
            json.WriteStartArray("manifests");
            foreach (var referrer in page.Items)
                Write(json, referrer);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static void Write(Utf8JsonWriter json, Referrer referrer)
    {
        json.WriteStartObject();
        json.WriteString("mediaType", referrer.MediaType);
        json.WriteString("digest", referrer.Digest.ToString());
        json.WriteNumber("size", referrer.Size);
        if (referrer.ArtifactType is not null)
            json.WriteString("artifactType", referrer.ArtifactType);
        if (referrer.Annotations is not null)
        {
            json.WritePropertyName("annotations");
            json.WriteRawValue(referrer.Annotations);
        }

        json.WriteEndObject();
    }
}
