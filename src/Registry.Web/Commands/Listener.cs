using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Registry.Infrastructure;
using Registry.Web.Tls;

namespace Registry.Web.Commands;

/// <summary>One address that the server listens on.</summary>
/// <param name="Text">As configured.</param>
/// <param name="Scheme"><c>http</c> or <c>https</c>.</param>
/// <param name="Ip">Null for <c>localhost</c>, which is IPv4 and IPv6 loopback together.</param>
internal sealed record Listener(string Text, string Scheme, IPAddress? Ip, int Port)
{
    private const string Everywhere = "://*:";

    private string Host => Text.StartsWith($"{Scheme}{Everywhere}", StringComparison.Ordinal) ? "*"
        : Ip?.ToString() ?? "localhost";

    public bool IsTls => Scheme == Uri.UriSchemeHttps;

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
        return Parse($"{Scheme}://{bracketed}:{(port ?? Port).ToString(CultureInfo.InvariantCulture)}");
    }

    /// <exception cref="StartRefusedException">The text is no address to listen on.</exception>
    public static Listener Parse(string text)
    {
        // "*" is no host name to Uri.
        var scheme = text.StartsWith("https:", StringComparison.Ordinal) ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        var everywhere = text.StartsWith($"{scheme}{Everywhere}", StringComparison.Ordinal);
        var plain = everywhere ? $"{scheme}://0.0.0.0:{text[(scheme.Length + Everywhere.Length)..]}" : text;
        if (Uri.TryCreate(plain, UriKind.Absolute, out var uri)
            && uri.Scheme == scheme && uri.PathAndQuery == "/" && uri.Port is >= 0 and <= 65535)
        {
            if (uri.Host == "localhost")
                return new(text, scheme, Ip: null, uri.Port);
            if (everywhere)
                return new(text, scheme, IPAddress.IPv6Any, uri.Port);
            if (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var ip))
                return new(text, scheme, ip, uri.Port);
        }

        throw new StartRefusedException(
            $"Registry:Listen has '{text}', which is no address to listen on: "
            + "use http://localhost:5000, http://192.0.2.1:5000, http://*:5000 or https in their place.");
    }

    /// <param name="certificates">Null only where no listener is one of TLS.</param>
    public void AddTo(KestrelServerOptions kestrel, ServerCertificates? certificates)
    {
        if (Host == "*")
            kestrel.ListenAnyIP(Port, Prepare); // by IPv4 alone where there is no IPv6
        else if (Ip is not null)
            kestrel.Listen(Ip, Port, Prepare);
        else if (Port == 0)
            kestrel.Listen(IPAddress.Loopback, 0, Prepare); // any free port cannot be the same one twice
        else
            kestrel.ListenLocalhost(Port, Prepare);

        void Prepare(ListenOptions listen)
        {
            if (IsTls)
                listen.UseHttps(certificates!.ToHandshakes());
        }
    }
}
