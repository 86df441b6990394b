using Registry.Domain.Errors;
using Registry.Web.Errors;

namespace Registry.Web.Requests;

/// <summary>
/// Refuses requests of an address that sends more of them than <c>Registry:Limits</c> lets it, before anything is done
/// for them: 429 with <c>Retry-After</c>. What watches over the server is never refused.
/// </summary>
internal sealed class RequestRate(RequestDelegate next, AddressLimiter limiter)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (RequestPipeline.IsApi(context.Request.Path))
        {
            using var lease = limiter.Attempt(context.Connection.RemoteIpAddress);
            if (!lease.IsAcquired)
            {
                await ErrorAnswer.WriteAsync(context, OciError.TooManyRequests(RequestBuckets.Wait(lease)));
                return;
            }
        }

        await next(context);
    }
}
