using System.Net;
using System.Net.Sockets;

namespace Registry.Testing.Processes;

/// <summary>Ports of the loopback interface.</summary>
public static class LoopbackPort
{
    /// <summary>A port that nobody listens on now; taken at once, it is free for all that matters.</summary>
    public static int Free() => Free(IPAddress.Loopback);

    /// <inheritdoc cref="Free()"/>
    public static int Free(IPAddress address)
    {
        using var listener = new TcpListener(address, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>
    /// An address of this machine that hardly anybody else uses: the port of a server that was killed on it is not given
    /// to somebody else's server while the clients of the killed one are still sending. Linux has all of 127.0.0.0/8.
    /// </summary>
    public static IPAddress OwnAddress()
        => OperatingSystem.IsLinux()
            ? new IPAddress([127, (byte)Random.Shared.Next(1, 255), (byte)Random.Shared.Next(256), (byte)Random.Shared.Next(1, 255)])
            : IPAddress.Loopback;
}
