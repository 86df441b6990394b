using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Registry.Web.Configuration;

namespace Registry.Web.Requests;

/// <summary>
/// A bucket of requests for each address, refilled every second. An IPv6 network of 64 bits is one address, since that
/// is what one client gets.
/// </summary>
internal sealed class AddressLimiter(RegistryOptions options) : IDisposable
{
    private readonly PartitionedRateLimiter<IPAddress> _buckets
        = RequestBuckets.Create<IPAddress>(options.Limits.RequestsPerSecond, options.Limits.Burst);

    /// <param name="address">Of the connection; null counts as one address more.</param>
    public RateLimitLease Attempt(IPAddress? address) => _buckets.AttemptAcquire(NetworkOf(address ?? IPAddress.None));

    private static IPAddress NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new(bytes);
    }

    public void Dispose() => _buckets.Dispose();
}
