using System.Net;
using System.Net.Sockets;

namespace Registry.Testing.Processes;

/// <summary>Ports of the loopback interface.</summary>
public static class LoopbackPort
{
    /// <summary>A port that nobody listens on now; taken at once, it is free for all that matters.</summary>
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
