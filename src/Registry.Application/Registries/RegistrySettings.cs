namespace Registry.Application.Registries;

public enum RegistryKind
{
    /// <summary>Holds what is pushed to it.</summary>
    Hosted,

    /// <summary>Holds what it has fetched from another registry, its upstream.</summary>
    Proxy,

    /// <summary>Holds nothing: it shows several registries under one name, in an order.</summary>
    Group,
}

/// <summary><c>Registry:Registries:*</c>: one registry of the instance.</summary>
public sealed class RegistrySettings
{
    public RegistryKind Kind { get; set; } = RegistryKind.Hosted;

    /// <summary>
    /// Repository names that begin with this path are in this registry; empty takes all that no other path takes.
    /// </summary>
    public string Path { get; set; } = "";

    /// <summary>Name of the store for its blobs. Default <c>default</c>. A group has none.</summary>
    public string Store { get; set; } = "default";

    /// <summary>
    /// Under these hosts it answers with bare repository names: a name, <c>*.suffix</c> or, with a port, <c>*</c>; a
    /// port behind any of them (<see cref="HostPattern"/>).
    /// </summary>
    public IList<string> Hosts { get; } = [];

    /// <summary>Of a proxy: the address of its upstream, such as <c>https://registry-1.docker.io</c>.</summary>
    public string Upstream { get; set; } = "";

    /// <summary>
    /// Of a proxy: the values of the query parameter <c>ns</c> that mean it. Default the upstream's host and port; for
    /// Docker Hub <c>docker.io</c>.
    /// </summary>
    public IList<string> Namespaces { get; } = [];

    /// <summary>
    /// Of a proxy: what a repository name of one component begins with at the upstream. Default nothing; for Docker Hub
    /// <c>library</c>.
    /// </summary>
    public string? ImpliedPrefix { get; set; }

    /// <summary>Of a proxy: the user that the upstream is asked as. Default nobody.</summary>
    public string? Username { get; set; }

    /// <summary>Of a proxy: the user's password or token.</summary>
    public string? Password { get; set; }

    /// <summary>Of a proxy: a file with the user's password, in place of <see cref="Password"/>.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>
    /// Of a proxy: a file of authorities in PEM that are trusted besides the system's, for all that it connects to.
    /// </summary>
    public string? CaFile { get; set; }

    /// <summary>
    /// Of a proxy: hosts, with their port if it is not the scheme's own, that may be shown the credentials besides the
    /// upstream's: those that its tokens are got from. Default none; for Docker Hub <c>auth.docker.io</c>.
    /// </summary>
    public IList<string> TokenHosts { get; } = [];

    /// <summary>
    /// Of a proxy: networks, such as <c>10.0.0.0/8</c>, in which the upstream, its token server and what they redirect
    /// to may be, besides public addresses.
    /// </summary>
    public IList<string> AllowedNetworks { get; } = [];

    /// <summary>
    /// Of a proxy: only repositories that one of these globs fits are asked for upstream. Default all.
    /// </summary>
    public IList<string> Include { get; } = [];

    /// <summary>Of a proxy: repositories that one of these globs fits are never asked for upstream.</summary>
    public IList<string> Exclude { get; } = [];

    /// <summary>Of a proxy: how long a tag is served before the upstream is asked again. Default 5 minutes.</summary>
    public TimeSpan TagTtl { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Of a proxy: how long it remembers that the upstream does not have something. Default 30 seconds.
    /// </summary>
    public TimeSpan NegativeTtl { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Of a proxy: how long the upstream may take to begin an answer, and be silent within one. Default 30 seconds.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Of a proxy: how many requests the upstream is sent at once. Default 32.</summary>
    public int MaxConnections { get; set; } = 32;

    /// <summary>Of a proxy: whether the upstream is never asked, so that only what is cached is there.</summary>
    public bool Offline { get; set; }

    /// <summary>Of a proxy: whether a tag stays when the upstream has deleted it. Default no.</summary>
    public bool KeepDeleted { get; set; }

    /// <summary>
    /// Of a proxy: how many bytes it holds at most; beyond that, what was not pulled for longest goes. Default 0, as
    /// many as there are.
    /// </summary>
    public long MaxBytes { get; set; }

    /// <summary>
    /// Of a proxy: what never goes for <see cref="MaxBytes"/>, as <c>REPOSITORY</c> or <c>REPOSITORY:TAG</c>, both of
    /// them patterns. Default nothing.
    /// </summary>
    public IList<string> Pinned { get; } = [];

    /// <summary>Of a group: the registries that it shows, the first that has something counts.</summary>
    public IList<string> Members { get; } = [];

    /// <summary>Of a group: the hosted member that takes what is pushed to it. Default none.</summary>
    public string? PushTo { get; set; }
}
