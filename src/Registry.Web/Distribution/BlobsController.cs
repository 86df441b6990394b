using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Blobs;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;
using Registry.Web.Access;
using Registry.Web.Errors;

namespace Registry.Web.Distribution;

[DistributionRequest, ApiExplorerSettings(IgnoreApi = true)]
public sealed class BlobsController(IMediator mediator) : ControllerBase
{
    private Principal Caller => RequestPrincipal.Of(HttpContext);

    [HttpHead("/v2/{name}/blobs/{digest}")] // end-2
    [RequiresAccess(RegistryAction.Pull)]
    public async Task<IActionResult> Head(RepositoryAddress name, Digest digest, CancellationToken cancellationToken)
    {
        var found = await mediator.Send(new FindBlobQuery(name.Identity, digest, Caller), cancellationToken);
        return found.Match(
            size => ContentHeaders.HasUnchanged(Request, digest)
                ? ContentHeaders.NotModified(Response, digest)
                : BlobResult.Head(digest, size),
            OciErrorResult.From);
    }

    [HttpGet("/v2/{name}/blobs/{digest}")] // end-2
    [RequiresAccess(RegistryAction.Pull)]
    public async Task<IActionResult> Get(RepositoryAddress name, Digest digest, CancellationToken cancellationToken)
    {
        // A blob that is not found may be one that a group has yet to fetch.
        if (ContentHeaders.HasUnchanged(Request, digest)
            && (await mediator.Send(new FindBlobQuery(name.Identity, digest, Caller), cancellationToken))
                .TryGet(out _, out _))
            return ContentHeaders.NotModified(Response, digest);

        var range = BlobResult.RangeOf(Request, digest);
        var opened = await mediator.Send(new OpenBlobQuery(name.Identity, digest, range, Caller), cancellationToken);
        return opened.Match(blob => BlobResult.Get(blob, range), OciErrorResult.From);
    }

    [HttpDelete("/v2/{name}/blobs/{digest}")] // end-10
    [RequiresAccess(RegistryAction.Delete)]
    public async Task<IActionResult> Delete(RepositoryAddress name, Digest digest, CancellationToken cancellationToken)
    {
        var deleted = await mediator.Send(new DeleteBlobCommand(name, digest), cancellationToken);
        return deleted.Match(_ => StatusCode(StatusCodes.Status202Accepted), OciErrorResult.From);
    }
}
