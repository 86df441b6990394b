using System.Text;
using Registry.Domain.Blobs;

namespace Registry.Application.Tests.Manifests;

/// <summary>Manifests as JSON text, to send as they are or to break.</summary>
internal static class ManifestSamples
{
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string ConfigType = "application/vnd.oci.image.config.v1+json";
    public const string LayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
    public const string EmptyType = "application/vnd.oci.empty.v1+json";
    public const string SbomType = "application/vnd.example.sbom.v1+json";

    /// <summary>The image-spec's empty descriptor, its content included.</summary>
    public static readonly string Empty = Descriptor(EmptyType, "{}", """, "data": "e30=" """);

    public static readonly string Config = Descriptor(ConfigType, "config");

    public static readonly string Layer = Descriptor(LayerType, "layer");

    public static readonly string Child = Descriptor(OciManifest, "child");

    public static string Image(string? config = null, string? layers = null, string more = "")
        => $$"""{"schemaVersion":2,"mediaType":"{{OciManifest}}","config":{{config ?? Config}},"layers":[{{layers ?? Layer}}]{{more}}}""";

    public static string Index(string? manifests = null, string more = "")
        => $$"""{"schemaVersion":2,"mediaType":"{{OciIndex}}","manifests":[{{manifests ?? Child}}]{{more}}}""";

    /// <param name="more">Further members, beginning with a comma.</param>
    public static string Descriptor(string mediaType, string content, string more = "")
        => $$"""{"mediaType":"{{mediaType}}","digest":"{{Digest(content)}}","size":{{content.Length}}{{more}}}""";

    public static Digest Digest(string content, DigestAlgorithm? algorithm = null)
        => Domain.Blobs.Digest.Of(Encoding.UTF8.GetBytes(content), algorithm ?? DigestAlgorithm.Sha256);

    /// <summary>Every valid manifest with its Content-Type under a name that says what is special about it.</summary>
    public static IReadOnlyDictionary<string, (string Json, string? ContentType)> Valid { get; }
        = new Dictionary<string, (string, string?)>(StringComparer.Ordinal)
        {
            ["image"] = (Image(), OciManifest),
            ["image without mediaType"] = (Image().Replace($"\"mediaType\":\"{OciManifest}\",\"config", "\"config", StringComparison.Ordinal), OciManifest),
            ["image without Content-Type"] = (Image(), null),
            ["image without layers"] = (Image(layers: ""), OciManifest),
            ["image with the same layer twice"] = (Image(layers: $"{Layer},{Layer}"), OciManifest),
            ["image with a layer that is elsewhere"] = (Image(layers: Descriptor(
                "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "windows", ""","urls":["https://example.com/layer"]""")), OciManifest),
            ["image with sha512"] = (Image(config: $$"""{"mediaType":"{{ConfigType}}","digest":"{{Digest("c", DigestAlgorithm.Sha512)}}","size":1}"""), OciManifest),
            ["image with unknown config and layer types"] = (Image(Descriptor("text/x-anything", "c"), Descriptor("a/b", "l")), OciManifest),
            ["artifact with an empty config and no layer"] = (Image(Empty, "", $",\"artifactType\":\"{SbomType}\""), OciManifest),
            ["artifact with an empty config and an empty layer"] = (Image(Empty, Empty, $",\"artifactType\":\"{SbomType}\""), OciManifest),
            ["artifact known by its config"] = (Image(Descriptor(SbomType, "c")), OciManifest),
            ["index"] = (Index(), OciIndex),
            ["index of indexes"] = (Index(Descriptor(OciIndex, "index")), OciIndex),
            ["index without manifests"] = (Index(""), OciIndex),
            ["index with an artifact type"] = (Index(more: $",\"artifactType\":\"{SbomType}\""), OciIndex),
            ["index with a child's artifact type"] = (Index(Descriptor(OciManifest, "c", $",\"artifactType\":\"{SbomType}\"")), OciIndex),
            ["index with platforms"] = (Index(Descriptor(OciManifest, "c",
                ""","platform":{"architecture":"arm","os":"linux","os.version":"1","os.features":["f"],"variant":"v7","features":["sse"]}""")), OciIndex),
            ["index with data"] = (Index(Descriptor(OciManifest, "child", ""","data":"Y2hpbGQ=" """)), OciIndex),
            ["image with a subject"] = (Image(more: $",\"subject\":{Child}"), OciManifest),
            ["index with a subject"] = (Index(more: $",\"subject\":{Child}"), OciIndex),
            ["image with annotations"] = (Image(more: ""","annotations":{"org.opencontainers.image.title":"\u00e4 \ud83d\ude00","":""}"""), OciManifest),
            ["layer with annotations"] = (Image(layers: Descriptor(LayerType, "l", ""","annotations":{"a":"b"}""")), OciManifest),
            ["nulls that clients write for nothing"] = (Image(more: ""","subject":null,"annotations":null"""), OciManifest),
            ["unknown members"] = (Image(more: ""","x":{"y":[1,2.5,null,true]},"signatures":[],"history":"none" """), OciManifest),
            ["half a surrogate pair where nobody reads"] = (Image(more: ",\"x\":[\"\\ud800\"]"), OciManifest),
            ["trailing newline"] = (Image() + "\n", OciManifest),
            ["odd white space"] = ("\r\n\t " + Image().Replace(",", " ,\n\n\t", StringComparison.Ordinal) + " \r\n", OciManifest),
            ["escaped member names"] = (Image().Replace("\"layers\"", "\"l\\u0061yers\"", StringComparison.Ordinal), OciManifest),
            ["an empty blob"] = (Image(layers: Descriptor(LayerType, "")), OciManifest),
            ["the largest size"] = (Image(layers: Layer.Replace("\"size\":5", $"\"size\":{long.MaxValue}", StringComparison.Ordinal)), OciManifest),
            ["docker image"] = (Docker(), DockerManifest),
            ["docker image without Content-Type"] = (Docker(), null),
            ["docker list"] = (Index(Descriptor(DockerManifest, "c")).Replace(OciIndex, DockerList, StringComparison.Ordinal), DockerList),
        };

    private static string Docker() => Image(
            Descriptor("application/vnd.docker.container.image.v1+json", "c"),
            Descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", "l"))
        .Replace(OciManifest, DockerManifest, StringComparison.Ordinal);
}
