using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.S3;

/// <summary>What an S3 server, or the way to it, says about a failure, as the port says it.</summary>
internal sealed class S3Faults(string store)
{
    private static readonly HashSet<string> Throttling = new(StringComparer.Ordinal)
    {
        "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "RequestLimitExceeded",
        "TooManyRequests", "BandwidthLimitExceeded",
    };

    private static readonly HashSet<string> Full = new(StringComparer.Ordinal)
    {
        "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "EntityTooLarge",
    };

    /// <summary>Whether it is the server, or the way to it, that has failed; anything else is a bug.</summary>
    public static bool Covers(Exception exception)
        => exception is AmazonServiceException or AmazonClientException or HttpRequestException or SocketException
            or IOException or TimeoutException or OperationCanceledException;

    /// <summary>Whether the same call may succeed a moment later.</summary>
    public static bool IsPassing(Exception exception)
        => exception is AmazonServiceException { ErrorCode: "RequestTimeout" or "OperationAborted" }
            || CauseOf(exception) is "throttled" or "unreachable" or "timeout" or "failed";

    /// <summary>The object is not there. A bucket that is not there is another matter.</summary>
    public static bool IsNotFound(Exception exception)
        => exception is AmazonServiceException { StatusCode: HttpStatusCode.NotFound } answer
            && answer.ErrorCode != "NoSuchBucket";

    /// <summary>A condition of the call does not hold: something else is at the key, or is on its way there.</summary>
    public static bool IsConflict(Exception exception)
        => exception is AmazonServiceException
        {
            StatusCode: HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict,
        };

    public StorageException Of(Exception cause)
        => new(
            cause is AmazonServiceException { StatusCode: HttpStatusCode.InsufficientStorage }
                || (cause is AmazonServiceException { ErrorCode: { } code } && Full.Contains(code))
                ? OciError.StoreFull()
                : OciError.StoreUnavailable(store, CauseOf(cause)),
            cause);

    private static string CauseOf(Exception exception) => exception switch
    {
        AmazonServiceException { StatusCode: HttpStatusCode.TooManyRequests } => "throttled",
        AmazonServiceException { ErrorCode: { } code } when Throttling.Contains(code) => "throttled",
        AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } => "refused",
        AmazonServiceException { StatusCode: HttpStatusCode.ServiceUnavailable } => "throttled",
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError } => "failed",
        AmazonServiceException { StatusCode: default(HttpStatusCode) } => "unreachable",
        AmazonServiceException => "unusable",
        TimeoutException or OperationCanceledException => "timeout",
        _ => "unreachable",
    };
}
