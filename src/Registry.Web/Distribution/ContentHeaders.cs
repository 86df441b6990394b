using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Registry.Domain.Blobs;

namespace Registry.Web.Distribution;

/// <summary>Headers that manifests and blobs have in common: their digest is their entity tag.</summary>
internal static class ContentHeaders
{
    public static void Set(HttpResponse response, Digest digest)
    {
        response.Headers["Docker-Content-Digest"] = digest.ToString();
        response.Headers.ETag = $"\"{digest}\"";
    }

    /// <summary>Whether If-None-Match says that the client has this content (RFC 9110, section 13.1.2).</summary>
    public static bool HasUnchanged(HttpRequest request, Digest digest)
    {
        if (request.Headers.IfNoneMatch.Count == 0)
            return false;
        foreach (var tag in request.GetTypedHeaders().IfNoneMatch)
        {
            if (tag.Equals(EntityTagHeaderValue.Any) || tag.Tag.AsSpan().Trim('"').SequenceEqual(digest.ToString()))
                return true;
        }

        return false;
    }

    public static IActionResult NotModified(HttpResponse response, Digest digest)
    {
        Set(response, digest);
        return new StatusCodeResult(StatusCodes.Status304NotModified);
    }
}
