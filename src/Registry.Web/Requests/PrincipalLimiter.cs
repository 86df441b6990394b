using System.Threading.RateLimiting;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Web.Configuration;

namespace Registry.Web.Requests;

/// <summary>
/// A bucket of requests for each principal, refilled every second, whatever addresses and credentials it comes with.
/// </summary>
internal sealed class PrincipalLimiter(RegistryOptions options) : IDisposable
{
    private readonly bool _counts = options.Limits.PrincipalRequestsPerSecond > 0;

    private readonly PartitionedRateLimiter<string> _buckets = RequestBuckets.Create<string>(
        options.Limits.PrincipalRequestsPerSecond, options.Limits.PrincipalBurst, StringComparer.Ordinal);

    /// <summary>Null when one more request of that principal may be answered, which then is counted.</summary>
    public OciError? Refuse(Principal principal)
    {
        if (!principal.IsSignedIn || !_counts)
            return null;
        using var lease = _buckets.AttemptAcquire(principal.Name);
        return lease.IsAcquired ? null : OciError.TooManyRequestsOfPrincipal(RequestBuckets.Wait(lease));
    }

    public void Dispose() => _buckets.Dispose();
}
