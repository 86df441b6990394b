using System.Diagnostics;

namespace Registry.Web.Requests;

/// <summary>The access log, one line a request, and the request id that every answer bears.</summary>
internal sealed partial class RequestLog(RequestDelegate next, ILogger<RequestLog> logger)
{
    public const string RequestId = "X-Request-Id";

    public async Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers[RequestId] = context.TraceIdentifier;
        if (!logger.IsEnabled(LogLevel.Information))
        {
            await next(context);
            return;
        }

        var (method, path, start) = (context.Request.Method, context.Request.Path, Stopwatch.GetTimestamp());
        try
        {
            await next(context);
        }
        finally
        {
            Log.Answered(
                logger,
                method,
                path.ToUriComponent(), // escaped: what a client sent cannot break a line
                context.Response.StatusCode,
                context.Response.ContentLength,
                Stopwatch.GetElapsedTime(start).TotalMilliseconds,
                context.Connection.RemoteIpAddress?.ToString(),
                context.TraceIdentifier);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, SkipEnabledCheck = true,
            Message = "{Method} {Path} {Status} {Bytes} bytes {Milliseconds:0.0} ms from {Client} [{RequestId}]")]
        public static partial void Answered(
            ILogger logger, string method, string path, int status, long? bytes, double milliseconds, string? client,
            string requestId);
    }
}
