using Registry.Application.GarbageCollection;

namespace Registry.Infrastructure.Database;

/// <summary>The clock of rows and leases, in Unix milliseconds.</summary>
internal sealed class Leases(GarbageCollectionOptions options, TimeProvider time)
{
    public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The end of a lease that starts now.</summary>
    public long Full => Now + (long)options.Lease.TotalMilliseconds;

    /// <summary>A lease that ends before this has less than half left; only such a one is worth a write.</summary>
    public long HalfSpent => Now + (long)options.Lease.TotalMilliseconds / 2;
}
