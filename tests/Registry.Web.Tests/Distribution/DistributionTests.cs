namespace Registry.Web.Tests.Distribution;

/// <summary>What the tests of every section share: one registry a class, one repository a test.</summary>
public abstract class DistributionTests(RegistryFactory registry) : IClassFixture<RegistryFactory>
{
    protected static readonly string UnknownDigest = "sha256:" + new string('0', 63) + "1";

    protected RegistryFactory Registry { get; } = registry;

    protected RegistryClient Client { get; } = registry.Client;

    protected string Repository { get; } = RegistryFactory.NewRepository();

    protected string BlobPath(string digest) => $"/v2/{Repository}/blobs/{digest}";

    protected string ManifestPath(string reference) => $"/v2/{Repository}/manifests/{reference}";

    /// <summary>Path and query of a Location, which may also be absolute.</summary>
    protected string PathOf(string location) => new Uri(Registry.Address, location).PathAndQuery;
}
