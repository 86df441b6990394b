using System.Net;
using Registry.Web.Configuration;
using Registry.Web.Requests;

namespace Registry.Web.Tests.Access;

public sealed class AddressLimiterTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    public void Requests_of_one_address_or_network_share_a_bucket(string first, string second, bool shared)
    {
        using var limiter = new AddressLimiter(new RegistryOptions { Limits = { RequestsPerSecond = 1, Burst = 1 } });
        using var taken = limiter.Attempt(IPAddress.Parse(first));
        Assert.True(taken.IsAcquired);

        using var next = limiter.Attempt(IPAddress.Parse(second));

        Assert.Equal(shared, !next.IsAcquired);
    }
}
