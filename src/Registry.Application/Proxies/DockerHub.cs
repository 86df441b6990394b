using Registry.Application.Registries;

namespace Registry.Application.Proxies;

/// <summary>
/// What is particular about Docker Hub: clients leave out its name and a part of its repositories' names, and its
/// tokens come from another host.
/// </summary>
public static class DockerHub
{
    /// <summary>The host that its tokens are got from.</summary>
    public const string TokenHost = "auth.docker.io";

    private const string Name = "docker.io";
    private const string Library = "library";

    /// <summary>Whether an upstream is Docker Hub, under any of its names.</summary>
    public static bool Is(Uri upstream)
        => upstream.Host is "registry-1.docker.io" or Name or "index.docker.io"; // a Uri has it in lower case

    /// <summary>What a repository name of one component begins with at the upstream of a proxy, if anything.</summary>
    public static string? ImpliedPrefix(RegistrySettings registry)
        => registry.Kind is not RegistryKind.Proxy ? null
            : registry.ImpliedPrefix ?? (AddressOf(registry) is { } upstream && Is(upstream) ? Library : null);

    /// <summary>
    /// The values of the query parameter <c>ns</c> that mean a registry: none unless it is a proxy, and the upstream's
    /// host, with its port if it names one, unless others are set.
    /// </summary>
    public static IReadOnlyList<string> Namespaces(RegistrySettings registry)
        => AddressOf(registry) is not { } upstream ? []
            : registry.Namespaces.Count > 0 ? [.. registry.Namespaces]
            : [Is(upstream) ? Name : upstream.Authority];

    private static Uri? AddressOf(RegistrySettings registry)
        => registry.Kind is RegistryKind.Proxy && Uri.TryCreate(registry.Upstream, UriKind.Absolute, out var upstream)
            ? upstream
            : null;
}
