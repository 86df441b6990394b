using System.Diagnostics;

namespace Registry.Web.Requests;

/// <summary>The access log, one line a request, and the request id that every answer bears.</summary>
internal sealed class RequestLog(RequestDelegate next, ILogger<RequestLog> logger)
{
    public const string RequestId = "X-Request-Id";

    public async Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers[RequestId] = context.TraceIdentifier;
        // Before anything shortens it.
        var (method, path, start) = (context.Request.Method, context.Request.Path, Stopwatch.GetTimestamp());
        using var scope = logger.BeginScope(new RequestScope(context.TraceIdentifier));
        try
        {
            await next(context);
        }
        finally
        {
            var entry = new AccessEntry(
                method,
                path.ToUriComponent(),
                context.Response.StatusCode,
                context.Response.ContentLength,
                Stopwatch.GetElapsedTime(start).TotalMilliseconds,
                context.Connection.RemoteIpAddress?.ToString(),
                context.TraceIdentifier);
            logger.Log(LogLevel.Information, default, entry, exception: null, static (entry, _) => entry.ToString());
        }
    }
}
