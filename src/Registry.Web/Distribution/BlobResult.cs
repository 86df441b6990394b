using Microsoft.AspNetCore.Mvc;
using Registry.Application.Blobs;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Web.Errors;

namespace Registry.Web.Distribution;

/// <summary>
/// A blob's bytes, or the part that Range asks for (RFC 9110, section 14). Nothing else knows how bytes leave.
/// </summary>
/// <param name="blob">Null sends no bytes.</param>
internal sealed class BlobResult(Digest digest, long size, OpenedBlob? blob, RequestedRange? range) : IActionResult
{
    public static IActionResult Head(Digest digest, long size) => new BlobResult(digest, size, blob: null, range: null);

    /// <summary>Disposes the content when it has been sent.</summary>
    public static IActionResult Get(OpenedBlob blob, RequestedRange? range)
        => new BlobResult(blob.Digest, blob.Content.Size, blob, range);

    /// <summary>
    /// The range that a request asks for; null when it wants everything, or the range of another version.
    /// </summary>
    public static RequestedRange? RangeOf(HttpRequest request, Digest digest)
        => request.Headers.IfRange.Count > 0 && request.Headers.IfRange != $"\"{digest}\""
            ? null
            : RequestedRange.Parse(request.Headers.Range);

    public async Task ExecuteResultAsync(ActionContext context)
    {
        var response = context.HttpContext.Response;
        ContentHeaders.Set(response, digest);
        response.Headers.AcceptRanges = "bytes";
        response.ContentType = "application/octet-stream";
        if (blob is null)
        {
            response.ContentLength = size;
            return;
        }

        await using var content = blob.Content;
        if (range is not null && blob.Part is null)
        {
            response.Headers.ContentRange = $"bytes */{size}";
            await OciErrorResult.WriteAsync(context.HttpContext, [OciError.RangeNotSatisfiable(size)]);
            return;
        }

        if (content.Address is { } address)
        {
            response.StatusCode = StatusCodes.Status307TemporaryRedirect;
            response.Headers.Location = address.AbsoluteUri;
            response.ContentLength = 0;
            return;
        }

        if (blob.Part is { } part)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {part.First}-{part.Last}/{size}";
        }

        var sent = blob.Part ?? new ByteRange(0, size - 1);
        response.ContentLength = sent.Length;
        if (sent.Length > 0)
            await content.CopyToAsync(response.BodyWriter, sent, context.HttpContext.RequestAborted);
    }
}
