using Microsoft.AspNetCore.Mvc;
using Registry.Application.Manifests;

namespace Registry.Web.Distribution;

/// <summary>A manifest in the bytes and under the media type it was pushed with; for HEAD its length alone.</summary>
internal sealed class ManifestResult(StoredManifest manifest) : IActionResult
{
    public async Task ExecuteResultAsync(ActionContext context)
    {
        var response = context.HttpContext.Response;
        ContentHeaders.Set(response, manifest.Digest);
        if (manifest.Warning is { } warning)
            WarningHeader.Set(response, warning);
        response.ContentType = manifest.MediaType.Value;
        response.ContentLength = manifest.Size;
        if (!HttpMethods.IsHead(context.HttpContext.Request.Method))
            await response.BodyWriter.WriteAsync(manifest.Content, context.HttpContext.RequestAborted);
    }
}
