using System.Net;
using System.Net.Sockets;

namespace Registry.Infrastructure.Outbound;

/// <summary>
/// Connects to what was configured and to nothing else: the name is resolved once, each address is judged, and the
/// connection goes to one that was found good.
/// </summary>
internal static class AddressGuard
{
    /// <exception cref="AddressRefusedException">The name leads only where it may not.</exception>
    /// <exception cref="SocketException">It leads nowhere, or nobody takes the connection.</exception>
    public static async ValueTask<Stream> ConnectAsync(
        DnsEndPoint place, Predicate<IPAddress> isAllowed, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(place.Host, cancellationToken);
        var good = Array.FindAll(addresses, isAllowed);
        if (good.Length == 0)
            throw new AddressRefusedException(place.Host, addresses);

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(good, place.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Whether an address is one of the public internet (IANA special-purpose address registries).</summary>
    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily is AddressFamily.InterNetwork)
            return !Array.Exists(Special, network => network.Contains(address));
        var bytes = address.GetAddressBytes();
        // An IPv4 address as a translator writes it.
        if (bytes.AsSpan(0, 12).SequenceEqual(Translated))
            return IsPublic(new IPAddress(bytes.AsSpan(12)));
        return GlobalUnicast.Contains(address) && !Array.Exists(SpecialV6, network => network.Contains(address));
    }

    private static readonly byte[] Translated = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

    private static readonly IPNetwork[] Special =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("100.64.0.0/10"),
        IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.0.0.0/24"), IPNetwork.Parse("192.0.2.0/24"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("198.18.0.0/15"), IPNetwork.Parse("198.51.100.0/24"), IPNetwork.Parse("203.0.113.0/24"),
        IPNetwork.Parse("224.0.0.0/4"), IPNetwork.Parse("240.0.0.0/4"),
    ];

    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] SpecialV6 =
        [IPNetwork.Parse("2001::/23"), IPNetwork.Parse("2001:db8::/32"), IPNetwork.Parse("2002::/16")];
}

/// <summary>A name leads to no address that may be connected to.</summary>
internal sealed class AddressRefusedException(string host, IPAddress[] addresses)
    : HttpRequestException(
        $"'{host}' leads to no address that may be connected to ({string.Join(", ", addresses.AsEnumerable())})")
{
    public string Host => host;

    public IReadOnlyList<IPAddress> Addresses => addresses;
}
