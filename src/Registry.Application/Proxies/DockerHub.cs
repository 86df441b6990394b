using Registry.Application.Registries;

namespace Registry.Application.Proxies;

/// <summary>What is special about Docker Hub among upstreams.</summary>
public static class DockerHub
{
    private static readonly string[] Hosts = ["registry-1.docker.io", "index.docker.io", "docker.io"];

    /// <summary>The hosts, besides the upstream's own, that may be shown its credentials.</summary>
    public static IReadOnlyList<string> TokenHosts(string upstream) => Is(upstream) ? ["auth.docker.io"] : [];

    /// <summary>What a repository name of one component begins with there; null for nothing.</summary>
    public static string? ImpliedPrefix(string upstream) => Is(upstream) ? "library" : null;

    /// <summary>What clients call the upstream in <c>ns</c>: its host, with its port if it names one.</summary>
    public static string Namespace(string upstream)
        => Is(upstream) ? "docker.io" : Uri.TryCreate(upstream, UriKind.Absolute, out var uri) ? uri.Authority : "";

    /// <summary>The values of <c>ns</c> that mean a registry: none unless it is a proxy.</summary>
    public static IReadOnlyList<string> Namespaces(RegistrySettings registry)
        => registry.Kind is not RegistryKind.Proxy ? []
            : registry.Namespaces.Count > 0 ? [.. registry.Namespaces]
            : [Namespace(registry.Upstream)];

    private static bool Is(string upstream)
        => Uri.TryCreate(upstream, UriKind.Absolute, out var uri)
            && Array.Exists(Hosts, host => host.Equals(uri.Host, StringComparison.OrdinalIgnoreCase));
}
