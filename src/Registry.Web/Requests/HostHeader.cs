using System.Diagnostics.CodeAnalysis;
using Registry.Application.Registries;

namespace Registry.Web.Requests;

/// <summary>What the client calls this instance, a trusted proxy's word for it included.</summary>
internal static class HostHeader
{
    public static RequestedHost RequestedHost(this HttpRequest request) => Read(request.Host, request.IsHttps);

    /// <summary>A host, and the port if that is not 443; false when it is no such thing.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out RequestedHost? host)
    {
        var read = new HostString(text);
        host = text == (read.Port is { } port ? $"{read.Host}:{port}" : read.Host)
            && Uri.CheckHostName(read.Host) is not UriHostNameType.Unknown
                ? Read(read, isHttps: true)
                : null;
        return host is not null;
    }

    private static RequestedHost Read(HostString host, bool isHttps)
        => new(host.Host, host.Port ?? (isHttps ? 443 : 80));
}
