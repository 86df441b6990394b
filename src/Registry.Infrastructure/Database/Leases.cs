using Registry.Application.GarbageCollection;

namespace Registry.Infrastructure.Database;

/// <summary>
/// How long what a client was told exists is kept, in milliseconds. Statements count it from <c>registry_now()</c>,
/// the one clock that all nodes of a database share.
/// </summary>
internal sealed class Leases(GarbageCollectionOptions options)
{
    /// <summary>Of a lease that starts now.</summary>
    public long Full { get; } = (long)options.Lease.TotalMilliseconds;

    /// <summary>Only a lease with less than this left is worth a write.</summary>
    public long Half => Full / 2;
}
