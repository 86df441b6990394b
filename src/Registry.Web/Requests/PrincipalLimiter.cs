using System.Threading.RateLimiting;
using Registry.Domain.Access;
using Registry.Web.Configuration;

namespace Registry.Web.Requests;

/// <summary>
/// A bucket of requests for each principal, refilled every second, whatever addresses and credentials it comes with.
/// </summary>
internal sealed class PrincipalLimiter(RegistryOptions options) : IDisposable
{
    private readonly PartitionedRateLimiter<string> _buckets = RequestBuckets.Create<string>(
        options.Limits.PrincipalRequestsPerSecond, options.Limits.PrincipalBurst, StringComparer.Ordinal);

    public RateLimitLease Attempt(Principal principal) => _buckets.AttemptAcquire(principal.Name);

    public void Dispose() => _buckets.Dispose();
}
