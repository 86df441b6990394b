namespace Registry.Application.Proxies;

/// <summary>
/// What is particular about Docker Hub: clients leave out its name and a part of its repositories' names, and its tokens
/// come from another host.
/// </summary>
public static class DockerHub
{
    /// <summary>What clients call it in the query parameter <c>ns</c>.</summary>
    public const string Namespace = "docker.io";

    /// <summary>What a repository name of one component begins with.</summary>
    public const string ImpliedPrefix = "library";

    /// <summary>The host that its tokens are got from.</summary>
    public const string TokenHost = "auth.docker.io";

    /// <summary>Whether an upstream is Docker Hub, under any of its names.</summary>
    public static bool Is(Uri upstream)
        => upstream.Host is "registry-1.docker.io" or "docker.io" or "index.docker.io"; // a Uri has it in lower case
}
