using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Registry.Application.Blobs;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Web.Errors;

namespace Registry.Web.Distribution;

/// <summary>A blob's bytes, or the part that Range asks for (RFC 9110, section 14). Nothing else knows how bytes leave.</summary>
internal sealed class BlobResult(Digest digest, long size, IBlobContent? content) : IActionResult
{
    public static IActionResult Head(Digest digest, long size) => new BlobResult(digest, size, content: null);

    /// <summary>Disposes the content when it has been sent.</summary>
    public static IActionResult Get(OpenedBlob blob) => new BlobResult(blob.Digest, blob.Content.Size, blob.Content);

    public async Task ExecuteResultAsync(ActionContext context)
    {
        var response = context.HttpContext.Response;
        ContentHeaders.Set(response, digest);
        response.Headers.AcceptRanges = "bytes";
        response.ContentType = "application/octet-stream";
        if (content is null)
        {
            response.ContentLength = size;
            return;
        }

        await using var _ = content;
        var range = Range(context.HttpContext.Request);
        if (range is { Length: <= 0 })
        {
            response.Headers.ContentRange = $"bytes */{size}";
            await OciErrorResult.WriteAsync(context.HttpContext, [OciError.RangeNotSatisfiable(size)]);
            return;
        }

        if (range is { } part)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {part.First}-{part.Last}/{size}";
        }

        var sent = range ?? new ByteRange(0, size - 1);
        response.ContentLength = sent.Length;
        if (sent.Length > 0)
            await content.CopyToAsync(response.BodyWriter, sent, context.HttpContext.RequestAborted);
    }

    // Null: send everything (no range, several, a unit or form that nobody knows, or a range of another version). A range without
    // any byte of the blob has no length.
    private ByteRange? Range(HttpRequest request)
    {
        if (request.Headers.Range.Count != 1
            || !RangeHeaderValue.TryParse(request.Headers.Range.ToString(), out var header)
            || header.Unit != "bytes" || header.Ranges.Count != 1)
            return null;
        if (request.Headers.IfRange.Count > 0 && request.Headers.IfRange != $"\"{digest}\"")
            return null;

        var asked = header.Ranges.First();
        return asked.From is { } from
            ? new(from, Math.Min(asked.To ?? long.MaxValue, size - 1))
            : new(Math.Max(0, size - asked.To!.Value), size - 1);
    }
}
