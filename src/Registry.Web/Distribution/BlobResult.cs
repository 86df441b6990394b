using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Blobs;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Web.Errors;

namespace Registry.Web.Distribution;

/// <summary>
/// A blob's bytes, or the part that Range asks for (RFC 9110, section 14). Nothing else knows how bytes leave.
/// </summary>
internal sealed class BlobResult(Digest digest, long size, IBlobContent? content) : IActionResult
{
    private const string Unit = "bytes=";

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

    // Null: send everything (no range, several, a unit or form that nobody knows, or a range of another version). A
    // range without any byte of the blob has no length.
    private ByteRange? Range(HttpRequest request)
    {
        var header = request.Headers.Range.ToString();
        if (!header.StartsWith(Unit, StringComparison.OrdinalIgnoreCase)
            || (request.Headers.IfRange.Count > 0 && request.Headers.IfRange != $"\"{digest}\""))
            return null;

        var text = header.AsSpan(Unit.Length).Trim();
        var dash = text.IndexOf('-');
        if (dash < 0 || !TryReadOffset(text[(dash + 1)..], out var last))
            return null;
        if (dash == 0)
            return last is { } count ? new(Math.Max(0, size - count), count == 0 ? -1 : size - 1) : null;
        return TryReadOffset(text[..dash], out var first) && !(last < first)
            ? new(first!.Value, Math.Min(last ?? long.MaxValue, size - 1))
            : null;
    }

    // Null when there is no number; one that is too large for any blob counts as the largest.
    private static bool TryReadOffset(ReadOnlySpan<char> text, out long? offset)
    {
        offset = text.IsEmpty
            ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : long.MaxValue;
        return !text.ContainsAnyExceptInRange('0', '9');
    }
}
