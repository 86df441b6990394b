using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Manifests;
using Registry.Application.Manifests.PutManifest;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Web.Access;
using Registry.Web.Errors;

namespace Registry.Web.Distribution;

[DistributionRequest, ApiExplorerSettings(IgnoreApi = true)]
public sealed class ManifestsController(IMediator mediator, ManifestOptions options) : ControllerBase
{
    private Principal Caller => RequestPrincipal.Of(HttpContext);

    [HttpHead("/v2/{name}/manifests/{reference}")] // end-3
    [RequiresAccess(RegistryAction.Pull)]
    public async Task<IActionResult> Head(
        RepositoryAddress name, Reference reference, CancellationToken cancellationToken)
    {
        var found = await mediator.Send(new FindManifestQuery(name.Identity, reference, Caller), cancellationToken);
        return found.Match(Deliver, OciErrorResult.From);
    }

    [HttpGet("/v2/{name}/manifests/{reference}")] // end-3
    [RequiresAccess(RegistryAction.Pull)]
    public async Task<IActionResult> Get(
        RepositoryAddress name, Reference reference, CancellationToken cancellationToken)
    {
        // Where the client has what it asks for, the bytes need not be read to say so.
        var found = reference is Digest digest && ContentHeaders.HasUnchanged(Request, digest)
            ? await mediator.Send(new FindManifestQuery(name.Identity, reference, Caller), cancellationToken)
            : await mediator.Send(new GetManifestQuery(name.Identity, reference, Caller), cancellationToken);
        return found.Match(Deliver, OciErrorResult.From);
    }

    [HttpPut("/v2/{name}/manifests/{reference}"), DisableRequestSizeLimit] // end-7a, end-7b
    [RequiresAccess(RegistryAction.Push)]
    public async Task<IActionResult> Put(
        RepositoryAddress name,
        Reference reference,
        [FromQuery(Name = "tag")] string[] tag,
        CancellationToken cancellationToken)
    {
        var tags = new List<Tag>();
        foreach (var text in tag)
        {
            if (!Tag.TryParse(text, out var parsed))
                return OciErrorResult.From(OciError.TagInvalid(text));
            tags.Add(parsed);
        }

        if (await ManifestBody.ReadAsync(Request, options.MaxBytes, cancellationToken) is not { } content)
            return OciErrorResult.From(OciError.ManifestTooLarge(options.MaxBytes));

        var contentType = MediaType.TryParse(Request.ContentType, out var type) ? type : null;
        if (contentType is null && !string.IsNullOrEmpty(Request.ContentType))
            return OciErrorResult.From(OciError.ManifestInvalid("", "comes with a Content-Type that is no media type"));
        var stored = await mediator.Send(
            new PutManifestCommand(
                name.Identity, reference, tags, contentType, content, Caller)
            {
                Group = name.Group,
            },
            cancellationToken);
        return stored.Match(manifest => Created(name, manifest, tags), OciErrorResult.From);
    }

    [HttpDelete("/v2/{name}/manifests/{reference}")] // end-9
    [RequiresAccess(RegistryAction.Delete)]
    public async Task<IActionResult> Delete(
        RepositoryAddress name, Reference reference, CancellationToken cancellationToken)
    {
        var deleted = await mediator.Send(
            new DeleteManifestCommand(name, reference, Caller), cancellationToken);
        return deleted.Match(_ => StatusCode(StatusCodes.Status202Accepted), Refused);
    }

    private IActionResult Refused(IReadOnlyList<OciError> errors)
    {
        if (errors[0].Reason == ErrorReason.Unsupported)
            Response.Headers.Allow = "GET, HEAD, PUT";
        return OciErrorResult.From(errors);
    }

    private IActionResult Deliver(StoredManifest manifest)
        => ContentHeaders.HasUnchanged(Request, manifest.Digest)
            ? ContentHeaders.NotModified(Response, manifest.Digest)
            : new ManifestResult(manifest);

    private IActionResult Created(RepositoryAddress name, PutManifestResult manifest, List<Tag> asked)
    {
        Response.Headers.Location = $"{Request.PathBase}/v2/{name.ClientName}/manifests/{manifest.Digest}";
        Response.Headers["Docker-Content-Digest"] = manifest.Digest.ToString();
        if (manifest.Subject is { } subject)
        {
            Response.Headers["OCI-Subject"] = subject.ToString();
            if (manifest.LacksSubject)
                WarningHeader.Set(Response, $"The subject {subject} is not in this repository.");
        }

        if (asked.Count > 0)
            Response.Headers["OCI-Tag"] = manifest.Tags.Select(tag => tag.Value).ToArray();
        return StatusCode(StatusCodes.Status201Created);
    }
}
