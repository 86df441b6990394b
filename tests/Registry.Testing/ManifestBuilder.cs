using System.Text;
using System.Text.Json.Nodes;

namespace Registry.Testing;

/// <summary>Writes manifests as clients do; <see cref="With"/> puts in whatever a test wants to be wrong.</summary>
public sealed class ManifestBuilder
{
    public const string OciImage = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string DockerImage = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

    private readonly JsonObject _document;
    private readonly string _mediaType;

    private ManifestBuilder(string mediaType)
    {
        _mediaType = mediaType;
        _document = new() { ["schemaVersion"] = 2, ["mediaType"] = mediaType };
    }

    public static ManifestBuilder Image(TestContent config, params TestContent[] layers)
        => new ManifestBuilder(OciImage)
            .With("config", config.Descriptor())
            .With("layers", new JsonArray([.. layers.Select(layer => layer.Descriptor())]));

    public static ManifestBuilder DockerSchema2(TestContent config, params TestContent[] layers)
        => new ManifestBuilder(DockerImage)
            .With("config", config.Descriptor())
            .With("layers", new JsonArray([.. layers.Select(layer => layer.Descriptor())]));

    public static ManifestBuilder Index(params TestContent[] children) => List(OciIndex, children);

    public static ManifestBuilder DockerManifestList(params TestContent[] children) => List(DockerList, children);

    /// <summary>An artifact: empty config, a type of its own.</summary>
    public static ManifestBuilder Artifact(string artifactType, params TestContent[] layers)
        => Image(TestContent.EmptyJson, layers).With("artifactType", artifactType);

    public ManifestBuilder With(string member, JsonNode? value)
    {
        _document[member] = value;
        return this;
    }

    public ManifestBuilder Without(string member)
    {
        _document.Remove(member);
        return this;
    }

    public ManifestBuilder Subject(TestContent subject) => With("subject", subject.Descriptor());

    public ManifestBuilder Annotation(string key, string value)
    {
        if (_document["annotations"] is not JsonObject annotations)
            _document["annotations"] = annotations = [];
        annotations[key] = value;
        return this;
    }

    public TestContent Build() => new(Encoding.UTF8.GetBytes(_document.ToJsonString()), _mediaType);

    private static ManifestBuilder List(string mediaType, TestContent[] children)
        => new ManifestBuilder(mediaType)
            .With("manifests", new JsonArray([.. children.Select(child => child.Descriptor())]));
}
