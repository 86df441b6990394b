using Registry.Domain.Errors;
using Registry.Web.Errors;

namespace Registry.Web.Requests;

/// <summary>
/// Answers what no action has answered: failures of storage, broken requests, unknown paths and methods, bugs.
/// </summary>
internal sealed partial class FailureAnswers(
    RequestDelegate next, SecurityHeaders security, ILogger<FailureAnswers> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path;
        NameApi(context.Response, path);

        OciError error;
        try
        {
            await next(context);
            if (context.Response.HasStarted || context.Response.ContentLength is not null
                || context.Response.ContentType is not null)
                return;
            if (context.Response.StatusCode == StatusCodes.Status404NotFound)
                error = OciError.NothingHere();
            else if (context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed)
                error = new(
                    OciErrorCode.Unsupported, ErrorReason.Unsupported,
                    $"{context.Request.Method} is not possible here.");
            else
                return;
        }
        catch (Exception e) when (context.Response.HasStarted)
        {
            if (!context.RequestAborted.IsCancellationRequested)
                Log.CutOff(logger, e);
            context.Abort(); // the client must not take half an answer for a whole one
            return;
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // nobody is there to be answered, but for the log
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return;
        }
        catch (Exception e)
        {
            error = Explain(e);
            // What an action has said about its own answer, digest and range among it, is not true of this one.
            var requestId = context.Response.Headers[RequestLog.RequestId];
            context.Response.Clear();
            context.Response.Headers[RequestLog.RequestId] = requestId;
            security.Set(context);
            NameApi(context.Response, path);
        }

        await ErrorAnswer.WriteAsync(context, error);
    }

    private static void NameApi(HttpResponse response, PathString path)
    {
        if (path.StartsWithSegments("/v2", StringComparison.Ordinal))
            response.Headers["Docker-Distribution-API-Version"] = "registry/2.0";
    }

    private OciError Explain(Exception exception)
    {
        switch (exception)
        {
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return new(OciErrorCode.SizeInvalid, ErrorReason.TooLarge, "The body is too large.");
            case BadHttpRequestException:
                return new(OciErrorCode.SizeInvalid, ErrorReason.Invalid, "The body broke off or is malformed.");
            case StorageException storage:
                Log.StorageFailed(logger, storage.Error.Message, storage);
                return storage.Error;
            default:
                Log.Failed(logger, exception);
                return OciError.Fault();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "The request failed.")]
        public static partial void Failed(ILogger logger, Exception e);

        [LoggerMessage(Level = LogLevel.Error, Message = "Storage failed: {Problem}")]
        public static partial void StorageFailed(ILogger logger, string problem, Exception e);

        [LoggerMessage(Level = LogLevel.Error, Message = "The answer was cut off.")]
        public static partial void CutOff(ILogger logger, Exception e);
    }
}
