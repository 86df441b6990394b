using System.Threading.RateLimiting;

namespace Registry.Web.Requests;

/// <summary>Buckets of requests that are refilled every second; those that are full again are forgotten.</summary>
internal static class RequestBuckets
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <param name="perSecond">What is filled in every second.</param>
    /// <param name="burst">What a bucket holds.</param>
    public static PartitionedRateLimiter<T> Create<T>(int perSecond, int burst, IEqualityComparer<T>? comparer = null)
        where T : notnull
        => PartitionedRateLimiter.Create<T, T>(
            whose => RateLimitPartition.GetTokenBucketLimiter(whose, _ => new()
            {
                TokenLimit = burst,
                TokensPerPeriod = perSecond,
                ReplenishmentPeriod = Period,
            }),
            comparer);

    /// <summary>How long to wait for the next request, in a refusal.</summary>
    public static TimeSpan Wait(RateLimitLease refused)
        => refused.TryGetMetadata(MetadataName.RetryAfter, out var told) && told > Period ? told : Period;
}
