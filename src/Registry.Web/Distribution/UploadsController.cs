using MediatR;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Blobs;
using Registry.Application.Registries;
using Registry.Application.Uploads;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;
using Registry.Web.Access;
using Registry.Web.Errors;
using Registry.Web.Requests;

namespace Registry.Web.Distribution;

[DistributionRequest, DisableRequestSizeLimit, ApiExplorerSettings(IgnoreApi = true)]
public sealed class UploadsController(IMediator mediator, RegistryMap registries) : ControllerBase
{
    [HttpPost("/v2/{name}/blobs/uploads")] // end-4a, end-4b, end-4c, end-11
    [RequiresAccess(RegistryAction.Push)]
    public async Task<IActionResult> Start(
        RepositoryAddress name,
        [FromQuery(Name = "digest")] string? digest,
        [FromQuery(Name = "digest-algorithm")] string? algorithm,
        [FromQuery(Name = "mount")] string? mount,
        [FromQuery(Name = "from")] string? from,
        CancellationToken cancellationToken)
    {
        if (mount is not null)
        {
            if (!Digest.TryParse(mount, out var wanted))
                return OciErrorResult.From(OciError.DigestInvalid(mount));
            var mounted = await MountAsync(name, wanted, from, cancellationToken);
            if (mounted is not null)
                return mounted;
        }
        else if (digest is not null)
        {
            if (!Digest.TryParse(digest, out var whole))
                return OciErrorResult.From(OciError.DigestInvalid(digest));
            var uploaded = await mediator.Send(
                new UploadBlobCommand(name.Identity, RequestPrincipal.Of(HttpContext), whole, Request.Body),
                cancellationToken);
            return uploaded.Match(blob => Created(name, blob), OciErrorResult.From);
        }

        var hash = DigestAlgorithm.Sha256;
        if (algorithm is not null && !DigestAlgorithm.TryParse(algorithm, out hash))
            return OciErrorResult.From(OciError.AlgorithmUnknown(algorithm));
        var started = await mediator.Send(
            new StartUploadCommand(name.Identity, RequestPrincipal.Of(HttpContext), hash), cancellationToken);
        return started.Match(progress => Accepted(name, progress), OciErrorResult.From);
    }

    [HttpPatch("/v2/{name}/blobs/uploads/{id}")] // end-5
    [RequiresAccess(RegistryAction.Push)]
    public async Task<IActionResult> Append(RepositoryAddress name, UploadId id, CancellationToken cancellationToken)
    {
        if (!TryReadContentRange(out var range))
            return OciErrorResult.From(OciError.ContentRangeInvalid(Request.Headers.ContentRange));
        var appended = await mediator.Send(
            new AppendToUploadCommand(
                name.Identity, RequestPrincipal.Of(HttpContext), id, range, Request.Body, Request.ContentLength),
            cancellationToken);
        return appended.Match(progress => Accepted(name, progress), errors => Refused(name, id, errors));
    }

    [HttpPut("/v2/{name}/blobs/uploads/{id}")] // end-6
    [RequiresAccess(RegistryAction.Push)]
    public async Task<IActionResult> Complete(
        RepositoryAddress name, UploadId id, [FromQuery(Name = "digest")] string? digest,
        CancellationToken cancellationToken)
    {
        if (!Digest.TryParse(digest, out var whole))
            return OciErrorResult.From(digest is null ? OciError.DigestMissing() : OciError.DigestInvalid(digest));
        if (!TryReadContentRange(out var range))
            return OciErrorResult.From(OciError.ContentRangeInvalid(Request.Headers.ContentRange));

        var hasBody = HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? true;
        var completed = await mediator.Send(
            new CompleteUploadCommand(
                name.Identity, RequestPrincipal.Of(HttpContext), id, whole,
                hasBody ? range : null,
                hasBody ? Request.Body : null,
                Request.ContentLength),
            cancellationToken);
        return completed.Match(blob => Created(name, blob), errors => Refused(name, id, errors));
    }

    [HttpGet("/v2/{name}/blobs/uploads/{id}"), HttpHead("/v2/{name}/blobs/uploads/{id}")] // end-13
    [RequiresAccess(RegistryAction.Push)]
    public async Task<IActionResult> Get(RepositoryAddress name, UploadId id, CancellationToken cancellationToken)
    {
        var found = await mediator.Send(
            new GetUploadQuery(name.Identity, RequestPrincipal.Of(HttpContext), id), cancellationToken);
        return found.Match(
            progress =>
            {
                SetProgress(name, progress);
                return NoContent();
            },
            OciErrorResult.From);
    }

    [HttpDelete("/v2/{name}/blobs/uploads/{id}")] // end-14
    [RequiresAccess(RegistryAction.Push)]
    public async Task<IActionResult> Cancel(RepositoryAddress name, UploadId id, CancellationToken cancellationToken)
    {
        var cancelled = await mediator.Send(
            new CancelUploadCommand(name.Identity, RequestPrincipal.Of(HttpContext), id), cancellationToken);
        return cancelled.Match(_ => NoContent(), OciErrorResult.From);
    }

    // Null when there is nothing to mount: the client is then given a session, as if it had not asked.
    private async Task<IActionResult?> MountAsync(
        RepositoryAddress name, Digest digest, string? from, CancellationToken cancellationToken)
    {
        RepositoryIdentity? source = null;
        if (from is not null)
        {
            source = RepositoryName.TryParse(from, out var other)
                ? registries.Resolve(Request.RequestedHost(), ns: null, other)?.Identity
                : null;
            if (source is null)
                return null;
        }

        var mounted = await mediator.Send(
            new MountBlobCommand(name.Identity, digest, source, RequestPrincipal.Of(HttpContext)), cancellationToken);
        return mounted.Match<IActionResult?>(blob => Created(name, blob), _ => null);
    }

    // False when there is a Content-Range that cannot be read.
    private bool TryReadContentRange(out ByteRange? range)
    {
        range = null;
        return Request.Headers.ContentRange.Count == 0
            || ByteRange.TryParseContentRange(Request.Headers.ContentRange, out range);
    }

    private IActionResult Created(RepositoryAddress name, Digest digest)
    {
        Response.Headers.Location = $"{Request.PathBase}/v2/{name.ClientName}/blobs/{digest}";
        Response.Headers["Docker-Content-Digest"] = digest.ToString();
        return StatusCode(StatusCodes.Status201Created);
    }

    private IActionResult Accepted(RepositoryAddress name, UploadProgress progress)
    {
        SetProgress(name, progress);
        return StatusCode(StatusCodes.Status202Accepted);
    }

    // A session that stays open says where it stands, so that the client can go on.
    private IActionResult Refused(RepositoryAddress name, UploadId id, IReadOnlyList<OciError> errors)
    {
        if (errors[0].Offset is { } offset)
            SetProgress(name, new(id, offset));
        return OciErrorResult.From(errors);
    }

    private void SetProgress(RepositoryAddress name, UploadProgress progress)
    {
        Response.Headers.Location = $"{Request.PathBase}/v2/{name.ClientName}/blobs/uploads/{progress.Id}";
        Response.Headers.Range = $"0-{Math.Max(0, progress.Offset - 1)}"; // the last byte stored, not their count
        Response.Headers["Docker-Upload-UUID"] = progress.Id.ToString();
    }
}
