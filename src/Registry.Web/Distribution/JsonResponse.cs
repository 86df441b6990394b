using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;

namespace Registry.Web.Distribution;

/// <summary>An answer written straight to JSON.</summary>
internal sealed class JsonResponse(string contentType, Action<Utf8JsonWriter> write) : IActionResult
{
    // Answers are application/json, never part of a page: quotes need no HTML-safe spelling.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public Task ExecuteResultAsync(ActionContext context) => WriteAsync(context.HttpContext, contentType, write);

    /// <summary>Sends what <paramref name="write"/> writes as the whole body.</summary>
    public static async Task WriteAsync(HttpContext context, string contentType, Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        await using (var json = new Utf8JsonWriter(body, Plain))
            write(json);
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.WrittenCount;
        await context.Response.BodyWriter.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    /// <summary>
    /// Names the page that follows (RFC 8288; distribution-spec, "Listing Tags"): same query, behind
    /// <paramref name="last"/>.
    /// </summary>
    public static void LinkNext(HttpContext context, int size, string last)
    {
        var query = context.Request.Query
            .Where(parameter => parameter.Key is not ("n" or "last"))
            .SelectMany(parameter => parameter.Value, (parameter, value) => KeyValuePair.Create(parameter.Key, value))
            .Append(new("n", size.ToString(CultureInfo.InvariantCulture)))
            .Append(new("last", last));
        var path = context.Request.PathBase.Add(context.Request.Path).ToUriComponent();
        context.Response.Headers.Link = $"<{QueryHelpers.AddQueryString(path, query)}>; rel=\"next\"";
    }
}
