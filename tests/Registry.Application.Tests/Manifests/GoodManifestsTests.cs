using System.Text;
using NSubstitute;
using Registry.Application.Manifests;
using Registry.Application.Manifests.PutManifest;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;

namespace Registry.Application.Tests.Manifests;

public sealed class GoodManifestsTests : IAsyncLifetime
{
    private readonly UseCases _registry = new();
    private NewManifest? _stored;

    public static TheoryData<string> Names => [.. ManifestSamples.Valid.Keys];

    public Task InitializeAsync()
        => _registry.Manifests.PutAsync(Arg.Do<NewManifest>(manifest => _stored = manifest), Arg.Any<CancellationToken>());

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_valid_manifest_is_stored_byte_for_byte_under_its_digest(string name)
    {
        var content = Encoding.UTF8.GetBytes(ManifestSamples.Valid[name].Json);

        var result = await _registry.GetAsync(Put(name));

        Assert.Equal(Digest.Of(content, DigestAlgorithm.Sha256), result.Digest);
        Assert.Equal([Tag.Parse("v1")], result.Tags);
        Assert.Equal(content, _stored!.Content.ToArray());
        Assert.Equal(result.Digest, _stored.Digest);
        Assert.Equal(ManifestSamples.Valid[name].ContentType, ManifestSamples.Valid[name].ContentType is null
            ? null
            : _stored.Manifest.MediaType.Value);
    }

    [Fact]
    public async Task The_blobs_that_must_exist_are_config_and_layers()
        => Assert.Equal([ManifestSamples.Digest("config"), ManifestSamples.Digest("layer")], (await FactsAsync("image")).RequiredBlobs);

    [Fact]
    public async Task A_layer_that_is_elsewhere_need_not_exist()
        => Assert.Equal([ManifestSamples.Digest("config")], (await FactsAsync("image with a layer that is elsewhere")).RequiredBlobs);

    [Fact]
    public async Task The_children_of_an_index_must_exist_as_manifests()
    {
        var index = await FactsAsync("index");
        Assert.Equal([ManifestSamples.Digest("child")], index.Children);
        Assert.Empty(index.Blobs);
    }

    [Theory]
    [InlineData("artifact with an empty config and no layer", ManifestSamples.SbomType)]
    [InlineData("artifact known by its config", ManifestSamples.SbomType)]
    [InlineData("index with an artifact type", ManifestSamples.SbomType)]
    [InlineData("image", ManifestSamples.ConfigType)]
    [InlineData("index", null)]
    [InlineData("index with a child's artifact type", null)]
    public async Task The_artifact_type_is_what_the_referrers_list_shows(string name, string? expected)
        => Assert.Equal(expected, (await FactsAsync(name)).ArtifactType?.Value);

    [Theory]
    [InlineData("image without Content-Type", ManifestSamples.OciManifest)]
    [InlineData("docker image without Content-Type", ManifestSamples.DockerManifest)]
    [InlineData("image without mediaType", ManifestSamples.OciManifest)]
    [InlineData("docker list", ManifestSamples.DockerList)]
    public async Task A_manifest_is_served_with_the_type_that_header_or_body_names(string name, string expected)
        => Assert.Equal(expected, (await FactsAsync(name)).MediaType.Value);

    [Theory]
    [InlineData("image with a subject")]
    [InlineData("index with a subject")]
    public async Task The_subject_is_told_back_and_need_not_exist(string name)
    {
        var result = await _registry.GetAsync(Put(name));
        Assert.Equal(ManifestSamples.Digest("child"), result.Subject);
        Assert.Equal(ManifestSamples.Digest("child"), _stored!.Manifest.Subject!.Digest);
    }

    [Fact]
    public async Task Nothing_is_told_back_where_there_is_no_subject()
    {
        Assert.Null((await _registry.GetAsync(Put("image"))).Subject);
        Assert.Null((await _registry.GetAsync(Put("nulls that clients write for nothing"))).Subject);
    }

    [Fact]
    public async Task Annotations_stay_as_they_were_written()
    {
        Assert.Equal(
            """{"org.opencontainers.image.title":"\u00e4 \ud83d\ude00","":""}""",
            (await FactsAsync("image with annotations")).Annotations);
        Assert.Null((await FactsAsync("image")).Annotations);
        Assert.Null((await FactsAsync("nulls that clients write for nothing")).Annotations);
    }

    [Fact]
    public async Task A_manifest_close_to_the_size_limit_is_taken()
    {
        var layers = string.Join(',', Enumerable.Repeat(ManifestSamples.Layer, 24_000));
        var command = Commands.Put(ManifestSamples.Image(layers: layers));
        Assert.InRange(command.Content.Length, 3_500_000, 4 * 1024 * 1024);

        await _registry.GetAsync(command);

        Assert.Equal(2, _stored!.Manifest.Blobs.Count);
    }

    private async Task<Manifest> FactsAsync(string name)
    {
        await _registry.GetAsync(Put(name));
        return _stored!.Manifest;
    }

    private static PutManifestCommand Put(string name)
        => Commands.Put(ManifestSamples.Valid[name].Json, ManifestSamples.Valid[name].ContentType);
}
