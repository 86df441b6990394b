using System.Net;
using Registry.Application.Access;
using Registry.Domain.Access;

namespace Registry.Web.Access;

/// <summary>Who sends a request.</summary>
internal static class RequestPrincipal
{
    private static readonly string[] ForwardingHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"];

    /// <summary>Null when the request shows no credentials and nobody has said what such requests may do.</summary>
    public static Principal? Find(HttpContext context)
        => context.RequestServices.GetRequiredService<AccessOptions>().Anonymous is not null || IsLocal(context) ? Principal.Anonymous : null;

    /// <summary>For actions, which run only once <see cref="RequiresAccessAttribute"/> has let the request pass.</summary>
    public static Principal Of(HttpContext context)
        => Find(context) ?? throw new InvalidOperationException("An action ran without an access decision.");

    // Without any configuration everybody on this machine may push. A proxy on this machine speaks for others.
    private static bool IsLocal(HttpContext context)
        => context.Connection is { RemoteIpAddress: { } remote, LocalIpAddress: { } local }
            && IPAddress.IsLoopback(remote) && IPAddress.IsLoopback(local)
            && !Array.Exists(ForwardingHeaders, context.Request.Headers.ContainsKey);
}
