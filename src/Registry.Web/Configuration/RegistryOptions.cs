using Registry.Application.Access;
using Registry.Application.GarbageCollection;
using Registry.Application.Manifests;
using Registry.Application.Registries;
using Registry.Application.Uploads;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Stores;
using Registry.Web.Tls;

namespace Registry.Web.Configuration;

/// <summary>The section <c>Registry</c> of the configuration, whole.</summary>
public sealed class RegistryOptions
{
    /// <summary>
    /// The folder that holds everything that is not configured to be elsewhere. Default <c>./data</c>.
    /// </summary>
    public string Data { get; set; } = "./data";

    /// <summary>
    /// What the server listens on, as <c>http://ADDRESS:PORT</c> or <c>https://ADDRESS:PORT</c>. Default
    /// <c>http://localhost:5000</c>. A host application listens on its own.
    /// </summary>
    public IList<string> Listen { get; } = [];

    /// <summary>The places for blobs by name. Default: one, <c>default</c>, in <c>&lt;Data&gt;/blobs</c>.</summary>
    public IDictionary<string, StoreOptions> Stores { get; }
        = new Dictionary<string, StoreOptions>(StringComparer.Ordinal);

    public DatabaseOptions Database { get; } = new();

    /// <summary>
    /// The registries by name. Where none of them is at the root, <c>default</c> is added there, hosted.
    /// </summary>
    public IDictionary<string, RegistrySettings> Registries { get; }
        = new Dictionary<string, RegistrySettings>(StringComparer.Ordinal);

    public AccessOptions Access { get; } = new();

    public DeleteOptions Delete { get; } = new();

    public UploadOptions Uploads { get; } = new();

    public ManifestOptions Manifests { get; } = new();

    public GarbageCollectionOptions GarbageCollection { get; } = new();

    public CorsSettings Cors { get; } = new();

    public MetricsOptions Metrics { get; } = new();

    public LimitOptions Limits { get; } = new();

    public TlsOptions Tls { get; } = new();

    public ForwardedHeaderSettings ForwardedHeaders { get; } = new();
}

/// <summary><c>Registry:Limits</c></summary>
public sealed class LimitOptions
{
    /// <summary>
    /// How many requests a second one address may send in the long run; 429 beyond it. Default 0: as many as it likes.
    /// </summary>
    public int RequestsPerSecond { get; set; }

    /// <summary>How many requests an address that has been quiet may send at once. Default 500.</summary>
    public int Burst { get; set; } = 500;

    /// <summary>
    /// How many requests a second one principal may send in the long run, from all addresses together; 429 beyond it.
    /// Who shows no credentials is counted by address alone. Default 0: as many as it likes.
    /// </summary>
    public int PrincipalRequestsPerSecond { get; set; }

    /// <summary>How many requests a principal that has been quiet may send at once. Default 500.</summary>
    public int PrincipalBurst { get; set; } = 500;

    /// <summary>
    /// How many connections the server has at once; more are closed as they come. Default 0: as many as it can.
    /// </summary>
    public int Connections { get; set; }

    /// <summary>How long a client may take to send the headers of a request. Default 30 seconds.</summary>
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a connection is kept on which nothing is asked. Default 130 seconds.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(130);
}

/// <summary><c>Registry:ForwardedHeaders</c></summary>
public sealed class ForwardedHeaderSettings
{
    /// <summary>
    /// Networks of the proxies whose <c>X-Forwarded-For</c>, <c>-Proto</c> and <c>-Host</c> are believed, in CIDR
    /// notation. Default: nobody's.
    /// </summary>
    public IList<string> Networks { get; } = [];
}

/// <summary><c>Registry:Cors</c></summary>
public sealed class CorsSettings
{
    /// <summary>
    /// Origins whose pages may call the APIs from a browser, such as <c>https://ui.example.com</c>. Default none.
    /// </summary>
    public IList<string> Origins { get; } = [];
}

/// <summary><c>Registry:Metrics</c></summary>
public sealed class MetricsOptions
{
    /// <summary>
    /// Networks that may read <c>/metrics</c> without credentials, in CIDR notation. Default: this machine alone.
    /// </summary>
    public IList<string> AllowedNetworks { get; } = [];
}
