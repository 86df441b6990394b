using System.Text;
using Registry.Application.Manifests;
using Registry.Application.Stores;
using Registry.Domain.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;

namespace Registry.Infrastructure.Tests.Database;

/// <summary>Blobs, manifests and sessions that are recognized by their text. The database reads none of it.</summary>
internal static class Samples
{
    public static readonly Principal Alice = new("alice");
    public static readonly RepositoryIdentity App = Repository("team/app");
    public static readonly RepositoryIdentity Other = Repository("team/other");

    private static readonly MediaType Anything = MediaType.Parse("application/octet-stream");

    public static RepositoryIdentity Repository(string name, string registry = "default")
        => new(RegistryName.Parse(registry), RepositoryName.Parse(name));

    public static Digest DigestOf(string content, DigestAlgorithm? algorithm = null)
        => Digest.Of(Encoding.UTF8.GetBytes(content), algorithm ?? DigestAlgorithm.Sha256);

    public static StoredBlob Blob(string content, string store = "main", DigestAlgorithm? algorithm = null)
        => new(store, DigestOf(content, algorithm), $"at/{content}", Encoding.UTF8.GetByteCount(content));

    /// <param name="blobs">The contents of config and layers.</param>
    public static NewManifest Image(string content, params string[] blobs)
        => New(content, new ImageManifest(Describe(DigestOf(blobs[0])), [.. blobs[1..].Select(layer => Describe(DigestOf(layer)))], null)
        {
            MediaType = MediaType.OciManifest,
        });

    public static NewManifest Index(string content, params Digest[] children)
        => New(content, new ImageIndex([.. children.Select(child => Describe(child) with { MediaType = MediaType.OciManifest })], null) { MediaType = MediaType.OciIndex });

    /// <summary>An index without children: a manifest that needs nothing.</summary>
    public static NewManifest Plain(string content) => Index(content);

    public static NewManifest In(this NewManifest manifest, RepositoryIdentity repository) => manifest with { Repository = repository };

    public static NewManifest Tagged(this NewManifest manifest, params string[] tags)
        => manifest with { Tags = [.. tags.Select(Tag.Parse)] };

    public static NewManifest As(this NewManifest manifest, Digest digest) => manifest with { Digest = digest };

    public static NewManifest WithSubject(this NewManifest manifest, Digest subject)
        => manifest with { Manifest = manifest.Manifest with { Subject = Describe(subject) } };

    public static NewManifest Annotated(this NewManifest manifest, string annotations)
        => manifest with { Manifest = manifest.Manifest with { Annotations = annotations } };

    public static NewManifest OfType(this NewManifest manifest, string artifactType)
        => manifest with { Manifest = (ImageIndex)manifest.Manifest with { DeclaredArtifactType = MediaType.Parse(artifactType) } };

    public static UploadSession Session(DateTimeOffset expiresAt, RepositoryIdentity? repository = null)
        => new(UploadId.Create(), repository ?? App, "main", Alice.Name, DigestAlgorithm.Sha256, Offset: 0, Version: 0, expiresAt);

    private static NewManifest New(string content, Manifest manifest)
        => new(App, DigestOf(content), manifest, Encoding.UTF8.GetBytes(content), [], Alice, MayOverwrite: true);

    private static Descriptor Describe(Digest digest) => new(Anything, digest, 1);
}
