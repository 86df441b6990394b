using Registry.Application.Registries;

namespace Registry.Web.Requests;

/// <summary>What the client calls this instance, a trusted proxy's word for it included.</summary>
internal static class HostHeader
{
    public static RequestedHost RequestedHost(this HttpRequest request) => Read(request.Host, request.IsHttps);

    /// <param name="isHttps">Whether the port is that of HTTPS where <paramref name="host"/> has none.</param>
    public static RequestedHost Read(HostString host, bool isHttps)
        => new(host.Host, host.Port ?? (isHttps ? 443 : 80));
}
