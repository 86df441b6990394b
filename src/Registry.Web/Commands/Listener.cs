using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Registry.Infrastructure;

namespace Registry.Web.Commands;

/// <summary>One address that the server listens on.</summary>
/// <param name="Text">As configured.</param>
/// <param name="Ip">Null for <c>localhost</c>, which is IPv4 and IPv6 loopback together.</param>
internal sealed record Listener(string Text, IPAddress? Ip, int Port)
{
    private const string Everywhere = "http://*:";

    private string Host => Text.StartsWith(Everywhere, StringComparison.Ordinal) ? "*" : Ip?.ToString() ?? "localhost";

    public bool IsLoopback => Ip is null || IPAddress.IsLoopback(Ip);

    /// <summary>Where a program on this machine reaches it, without a path.</summary>
    public string LocalAddress
    {
        get
        {
            // "Everywhere" is no place to ask.
            var isAny = IPAddress.Any.Equals(Ip) || IPAddress.IPv6Any.Equals(Ip);
            return (isAny ? With("localhost", port: null) : With(host: null, port: null)).Text;
        }
    }

    /// <summary>This listener with another address or port; null keeps what it has.</summary>
    /// <exception cref="StartRefusedException">The address is none to listen on.</exception>
    public Listener With(string? host, int? port)
    {
        var address = host ?? Host;
        var bracketed = address.Contains(':', StringComparison.Ordinal) && !address.StartsWith('[')
            ? $"[{address}]"
            : address;
        return Parse($"http://{bracketed}:{(port ?? Port).ToString(CultureInfo.InvariantCulture)}");
    }

    /// <exception cref="StartRefusedException">The text is no address to listen on.</exception>
    public static Listener Parse(string text)
    {
        // "*" is no host name to Uri.
        var everywhere = text.StartsWith(Everywhere, StringComparison.Ordinal);
        if (Uri.TryCreate(
                everywhere ? $"http://0.0.0.0:{text[Everywhere.Length..]}" : text, UriKind.Absolute, out var uri)
            && uri is { Scheme: "http", PathAndQuery: "/" } && uri.Port is >= 0 and <= 65535)
        {
            if (uri.Host == "localhost")
                return new(text, Ip: null, uri.Port);
            if (everywhere)
                return new(text, IPAddress.IPv6Any, uri.Port);
            if (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var ip))
                return new(text, ip, uri.Port);
        }

        throw new StartRefusedException(
            $"Registry:Listen has '{text}', which is no address to listen on: "
            + "use http://localhost:5000, http://192.0.2.1:5000 or http://*:5000.");
    }

    public void AddTo(KestrelServerOptions kestrel)
    {
        if (Host == "*")
            kestrel.ListenAnyIP(Port); // by IPv4 alone where there is no IPv6
        else if (Ip is not null)
            kestrel.Listen(Ip, Port);
        else if (Port == 0)
            kestrel.Listen(IPAddress.Loopback, 0); // any free port cannot be the same one twice
        else
            kestrel.ListenLocalhost(Port);
    }
}
