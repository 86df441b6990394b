using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Registry.Domain.Errors;
using Registry.Web.Access;
using Registry.Web.Distribution;

namespace Registry.Web.Errors;

/// <summary>
/// The only writer of <c>{"errors":[…]}</c> (distribution-spec, "Error Codes"), and the only place that makes a
/// status of an <see cref="ErrorReason"/>.
/// </summary>
internal sealed class OciErrorResult(IReadOnlyList<OciError> errors) : IActionResult
{
    public static IActionResult From(IReadOnlyList<OciError> errors) => new OciErrorResult(errors);

    public static IActionResult From(OciError error) => new OciErrorResult([error]);

    public Task ExecuteResultAsync(ActionContext context) => WriteAsync(context.HttpContext, errors);

    /// <summary>Answers a request whose response has not begun.</summary>
    public static Task WriteAsync(HttpContext context, IReadOnlyList<OciError> errors)
    {
        SetStatus(context.Response, errors[0]);
        return JsonResponse.WriteAsync(
            context, "application/json", json => Write(json, errors, context.TraceIdentifier));
    }

    /// <summary>
    /// The status of an error and the headers that go with it, in whichever form the error itself follows.
    /// </summary>
    public static void SetStatus(HttpResponse response, OciError error)
    {
        response.StatusCode = StatusOf(error);
        switch (response.StatusCode)
        {
            case StatusCodes.Status401Unauthorized:
                response.Headers.WWWAuthenticate = Challenge.For(response.HttpContext, error);
                break;
            case StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable
                when error.RetryAfter is { } wait:
                response.Headers.RetryAfter
                    = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
                break;
            case StatusCodes.Status405MethodNotAllowed when response.Headers.Allow.Count == 0:
                response.Headers.Allow = "GET, HEAD";
                break;
            case StatusCodes.Status503ServiceUnavailable:
                response.Headers.RetryAfter = "5";
                break;
        }
    }

    private static int StatusOf(OciError error) => error.Reason switch
    {
        ErrorReason.NotFound => StatusCodes.Status404NotFound,
        ErrorReason.Invalid => StatusCodes.Status400BadRequest,
        ErrorReason.OutOfOrder or ErrorReason.RangeNotSatisfiable => StatusCodes.Status416RangeNotSatisfiable,
        ErrorReason.TooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorReason.TooMany => StatusCodes.Status414UriTooLong,
        ErrorReason.TooOften => StatusCodes.Status429TooManyRequests,
        ErrorReason.Unauthenticated => StatusCodes.Status401Unauthorized,
        ErrorReason.Denied => StatusCodes.Status403Forbidden,
        ErrorReason.Conflict => StatusCodes.Status409Conflict,
        ErrorReason.Changed => StatusCodes.Status412PreconditionFailed,
        ErrorReason.Unsupported => StatusCodes.Status405MethodNotAllowed,
        ErrorReason.StoreFull => StatusCodes.Status507InsufficientStorage,
        ErrorReason.UpstreamFault => StatusCodes.Status502BadGateway,
        ErrorReason.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static void Write(Utf8JsonWriter json, IReadOnlyList<OciError> errors, string requestId)
    {
        json.WriteStartObject();
        json.WriteStartArray("errors");
        foreach (var error in errors)
        {
            json.WriteStartObject();
            json.WriteString("code", Wire(error.Code));
            json.WriteString("message", error.Message);
            json.WriteStartObject("detail");
            foreach (var (key, value) in error.Detail ?? new Dictionary<string, string>(StringComparer.Ordinal))
                json.WriteString(key, value);
            if (error.Offset is { } offset)
                json.WriteString("offset", offset.ToString(CultureInfo.InvariantCulture));
            json.WriteString("requestId", requestId);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Wire(OciErrorCode code) => code switch
    {
        OciErrorCode.BlobUnknown => "BLOB_UNKNOWN",
        OciErrorCode.BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
        OciErrorCode.BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
        OciErrorCode.DigestInvalid => "DIGEST_INVALID",
        OciErrorCode.ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
        OciErrorCode.ManifestInvalid => "MANIFEST_INVALID",
        OciErrorCode.ManifestUnknown => "MANIFEST_UNKNOWN",
        OciErrorCode.NameInvalid => "NAME_INVALID",
        OciErrorCode.NameUnknown => "NAME_UNKNOWN",
        OciErrorCode.SizeInvalid => "SIZE_INVALID",
        OciErrorCode.Unauthorized => "UNAUTHORIZED",
        OciErrorCode.Denied => "DENIED",
        OciErrorCode.Unsupported => "UNSUPPORTED",
        OciErrorCode.TooManyRequests => "TOOMANYREQUESTS",
        OciErrorCode.Unavailable => "UNAVAILABLE",
        _ => "UNKNOWN",
    };
}
