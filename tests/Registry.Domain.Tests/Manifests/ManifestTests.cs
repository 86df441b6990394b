using System.Text;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;

namespace Registry.Domain.Tests.Manifests;

public sealed class ManifestTests
{
    private static readonly MediaType ConfigType = MediaType.Parse("application/vnd.oci.image.config.v1+json");
    private static readonly MediaType LayerType = MediaType.Parse("application/vnd.oci.image.layer.v1.tar+gzip");
    private static readonly MediaType Foreign = MediaType.Parse("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
    private static readonly MediaType Signature = MediaType.Parse("application/vnd.example.signature.v1+json");

    [Fact]
    public void The_blobs_of_an_image_are_config_and_layers_each_once()
    {
        var image = Image(Blob("config"), Blob("a", LayerType), Blob("b", LayerType), Blob("a", LayerType), Blob("config", LayerType));
        Assert.Equal([Digest("config"), Digest("a"), Digest("b")], image.Blobs);
        Assert.Empty(image.Children);
    }

    [Fact]
    public void Layers_that_need_not_be_in_the_registry_are_blobs_of_the_image_that_it_does_not_require()
    {
        var image = Image(Blob("config"), Blob("windows", Foreign), Blob("a", LayerType));
        Assert.Equal([Digest("config"), Digest("a")], image.RequiredBlobs);
        Assert.Equal([Digest("config"), Digest("windows"), Digest("a")], image.Blobs);
        // The same bytes listed as a plain layer too must be there all the same.
        Assert.Equal([Digest("config"), Digest("a")], Image(Blob("config"), Blob("a", Foreign), Blob("a", LayerType)).RequiredBlobs);
        // A config is always needed, whatever type it claims.
        Assert.Equal([Digest("config")], Image(Blob("config", Foreign)).RequiredBlobs);
    }

    [Fact]
    public void What_an_index_lists_under_no_manifest_type_is_a_blob()
    {
        var index = Index(null, Blob("a", MediaType.OciManifest), Blob("cached", LayerType), Blob("cached", LayerType));
        Assert.Equal([Digest("a")], index.Children);
        Assert.Equal([Digest("cached")], index.Blobs);
        Assert.Equal([Digest("cached")], index.RequiredBlobs);
    }

    [Fact]
    public void An_image_without_layers_needs_its_config_alone() => Assert.Equal([Digest("config")], Image(Blob("config")).Blobs);

    [Fact]
    public void The_children_of_an_index_are_its_manifests_each_once()
    {
        var index = Index(null, Blob("a", MediaType.OciManifest), Blob("b", MediaType.OciIndex), Blob("a", MediaType.OciManifest));
        Assert.Equal([Digest("a"), Digest("b")], index.Children);
        Assert.Empty(index.Blobs);
        Assert.Empty(Index(null).Children);
    }

    [Fact]
    public void A_subject_is_neither_blob_nor_child()
    {
        var subject = Blob("subject", MediaType.OciManifest);
        Assert.DoesNotContain(subject.Digest, (Image(Blob("config")) with { Subject = subject }).Blobs);
        Assert.DoesNotContain(subject.Digest, (Index(null) with { Subject = subject }).Children);
    }

    [Fact]
    public void The_artifact_type_is_the_declared_one_else_that_of_the_config_and_none_for_an_index()
    {
        Assert.Equal(Signature, new ImageManifest(Blob("config"), [], Signature) { MediaType = MediaType.OciManifest }.ArtifactType);
        Assert.Equal(ConfigType, Image(Blob("config")).ArtifactType);
        Assert.Equal(Signature, Index(Signature).ArtifactType);
        Assert.Null(Index(null).ArtifactType);
    }

    private static Digest Digest(string content) => Domain.Blobs.Digest.Of(Encoding.UTF8.GetBytes(content), DigestAlgorithm.Sha256);

    private static Descriptor Blob(string content, MediaType? type = null) => new(type ?? ConfigType, Digest(content), content.Length);

    private static ImageManifest Image(Descriptor config, params Descriptor[] layers)
        => new(config, layers, DeclaredArtifactType: null) { MediaType = MediaType.OciManifest };

    private static ImageIndex Index(MediaType? artifactType, params Descriptor[] manifests)
        => new(manifests, artifactType) { MediaType = MediaType.OciIndex };
}
