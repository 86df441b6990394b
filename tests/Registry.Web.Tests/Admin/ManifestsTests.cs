using System.Text.Json;

namespace Registry.Web.Tests.Admin;

public sealed class ManifestsTests(RegistryFactory registry) : IClassFixture<RegistryFactory>
{
    private readonly RegistryClient _client = registry.Client;
    private readonly string _repository = RegistryFactory.NewRepository();

    [Fact]
    public async Task An_image_is_described_by_tag_and_by_digest()
    {
        var (config, bottom, top) = (TestContent.Config(), TestContent.Layer(300), TestContent.Layer(400));
        foreach (var blob in new[] { config, bottom, top })
            await _client.PushBlobAsync(_repository, blob);
        var image = await _client.PushManifestAsync(
            _repository, "v1", ManifestBuilder.Image(config, bottom, top).Annotation("org.example.key", "värde").Build());

        foreach (var reference in new[] { "v1", image.Digest })
        {
            var shown = await GetAsync(reference);
            Assert.Equal(image.Digest, shown.GetProperty("digest").GetString());
            Assert.Equal(ManifestBuilder.OciImage, shown.GetProperty("mediaType").GetString());
            Assert.Equal(image.Bytes.Length, shown.GetProperty("size").GetInt64());
            Assert.Equal(image.Bytes.Length + config.Bytes.Length + 700, shown.GetProperty("contentSize").GetInt64());
            Assert.Equal(config.Digest, shown.GetProperty("config").GetProperty("digest").GetString());
            Assert.Equal([bottom.Digest, top.Digest], DigestsOf(shown.GetProperty("layers")));
            Assert.Equal(JsonValueKind.Null, shown.GetProperty("manifests").ValueKind);
            Assert.Equal(JsonValueKind.Null, shown.GetProperty("subject").ValueKind);
            Assert.Equal("värde", shown.GetProperty("annotations").GetProperty("org.example.key").GetString());
        }
    }

    [Fact]
    public async Task An_index_is_described_by_its_children()
    {
        var (first, second) = (await _client.PushImageAsync(_repository, "first"), await _client.PushImageAsync(_repository, "second"));
        var index = await _client.PushManifestAsync(_repository, "all", ManifestBuilder.Index(first, second).Build());

        var shown = await GetAsync("all");

        Assert.Equal(ManifestBuilder.OciIndex, shown.GetProperty("mediaType").GetString());
        Assert.Equal([first.Digest, second.Digest], DigestsOf(shown.GetProperty("manifests")));
        Assert.Equal(index.Bytes.Length, shown.GetProperty("contentSize").GetInt64());
        Assert.Equal(JsonValueKind.Null, shown.GetProperty("config").ValueKind);
        Assert.Equal(JsonValueKind.Null, shown.GetProperty("layers").ValueKind);
        Assert.Equal(JsonValueKind.Null, shown.GetProperty("annotations").ValueKind);
    }

    [Fact]
    public async Task An_artifact_is_described_with_its_type_and_its_subject()
    {
        var image = await _client.PushImageAsync(_repository, "v1");
        var artifact = (await _client.NewArtifactAsync(_repository, "application/x.sbom")).Subject(image).Build();
        await _client.PushManifestAsync(_repository, artifact.Digest, artifact);

        var shown = await GetAsync(artifact.Digest);

        Assert.Equal("application/x.sbom", shown.GetProperty("artifactType").GetString());
        Assert.Equal(image.Digest, shown.GetProperty("subject").GetProperty("digest").GetString());
        Assert.Equal(ManifestBuilder.OciImage, shown.GetProperty("subject").GetProperty("mediaType").GetString());
        Assert.Equal(image.Bytes.Length, shown.GetProperty("subject").GetProperty("size").GetInt64());
    }

    [Fact]
    public async Task A_docker_image_is_described_too()
    {
        var (config, layer) = (TestContent.Config() with { MediaType = "application/vnd.docker.container.image.v1+json" }, TestContent.Layer());
        await _client.PushBlobAsync(_repository, config);
        await _client.PushBlobAsync(_repository, layer);
        await _client.PushManifestAsync(_repository, "v1", ManifestBuilder.DockerSchema2(config, layer).Build());

        var shown = await GetAsync("v1");

        Assert.Equal(ManifestBuilder.DockerImage, shown.GetProperty("mediaType").GetString());
        Assert.Equal(config.MediaType, shown.GetProperty("config").GetProperty("mediaType").GetString());
    }

    [Theory]
    [InlineData("repository={0}&reference=none", 404, "none")]
    [InlineData("repository={0}&reference=sha256:0000000000000000000000000000000000000000000000000000000000000000", 404, "sha256:0000")]
    [InlineData("repository={0}&reference=-no-tag", 404, "-no-tag")]
    [InlineData("repository={0}&reference=sha256:short", 404, "sha256:short")]
    [InlineData("repository={0}&reference=", 400, "'reference' is missing")]
    [InlineData("repository={0}", 400, "'reference' is missing")]
    [InlineData("repository=no/such&reference=v1", 404, "v1")]
    [InlineData("repository=UPPER&reference=v1", 400, "UPPER")]
    [InlineData("reference=v1", 400, "'repository' is missing")]
    public async Task What_is_unknown_or_malformed_is_refused(string query, int status, string named)
    {
        await _client.PushImageAsync(_repository, "v1");
        (await _client.GetAsync($"/api/v1/manifests?{query.Replace("{0}", _repository, StringComparison.Ordinal)}")).ExpectProblem(status, named);
    }

    private async Task<JsonElement> GetAsync(string reference)
        => (await _client.GetAsync($"/api/v1/manifests?repository={Uri.EscapeDataString(_repository)}&reference={Uri.EscapeDataString(reference)}"))
            .Expect(200).Json;

    private static IEnumerable<string> DigestsOf(JsonElement list)
        => list.EnumerateArray().Select(descriptor => descriptor.GetProperty("digest").GetString()!);
}
