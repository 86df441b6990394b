using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;

namespace Registry.Web.Distribution;

/// <summary>A list, written straight to JSON.</summary>
internal sealed class JsonResponse(string contentType, Action<Utf8JsonWriter> write) : IActionResult
{
    // Answers are application/json, never part of a page: quotes need no HTML-safe spelling.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task ExecuteResultAsync(ActionContext context)
    {
        var body = new ArrayBufferWriter<byte>(4096);
        await using (var json = new Utf8JsonWriter(body, Plain))
            write(json);
        var response = context.HttpContext.Response;
        response.ContentType = contentType;
        response.ContentLength = body.WrittenCount;
        await response.BodyWriter.WriteAsync(body.WrittenMemory, context.HttpContext.RequestAborted);
    }

    /// <summary>Names the page that follows (RFC 8288; distribution-spec, "Listing Tags"): same query, behind <paramref name="last"/>.</summary>
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
