using System.Net;
using Registry.Application.Registries;
using Registry.Web.Configuration;
using Registry.Web.Requests;

namespace Registry.Web.Access;

/// <summary>
/// Whether a request comes from a program on this machine: over loopback, through no proxy (which speaks for others),
/// and not from a page of another site that a browser here has open.
/// </summary>
internal static class LocalRequest
{
    // X-Original-… is what the forwarded-headers middleware leaves when it has put a proxy's word in the connection's
    // place: whoever was believed, the client is not the program at the other end of the connection.
    private static readonly string[] ForwardingHeaders =
    [
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-For", "X-Original-Host",
        "X-Original-Proto", "X-Real-IP", "Via",
    ];

    public static bool IsLocal(HttpContext context)
        => context.Connection is { RemoteIpAddress: { } remote, LocalIpAddress: { } local }
            && IPAddress.IsLoopback(remote) && IPAddress.IsLoopback(local)
            && !IsForwarded(context.Request)
            && IsOurName(context)
            && IsOurOrigin(context);

    public static bool IsForwarded(HttpRequest request) => Array.Exists(ForwardingHeaders, request.Headers.ContainsKey);

    // A foreign name that resolves to this machine is how a page gets past a browser's same-origin rule.
    private static bool IsOurName(HttpContext context)
    {
        var host = context.Request.RequestedHost();
        return IsLoopbackName(host.Name) || context.RequestServices.GetRequiredService<RegistryMap>().HasName(host);
    }

    private static bool IsLoopbackName(string host)
        => host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static bool IsOurOrigin(HttpContext context)
    {
        var request = context.Request;
        return request.Headers.Origin.Count == 0
            || request.Headers.Origin == $"{request.Scheme}://{request.Host}"
            || context.RequestServices.GetRequiredService<RegistryOptions>()
                .Cors.Origins.Contains(request.Headers.Origin.ToString());
    }
}
