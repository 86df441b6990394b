using System.Text.Json;

namespace Registry.Web.Tests.Admin;

public sealed class TagsTests(RegistryFactory registry) : IClassFixture<RegistryFactory>
{
    private readonly RegistryClient _client = registry.Client;
    private readonly string _repository = RegistryFactory.NewRepository();

    [Fact]
    public async Task A_tag_is_shown_with_what_it_points_at()
    {
        var before = DateTimeOffset.UtcNow.AddSeconds(-1);
        var sbom = await _client.PushManifestAsync(_repository, "v1", (await _client.NewArtifactAsync(_repository, "application/x.sbom")).Build());

        var tag = (await GetAsync("")).GetProperty("items").EnumerateArray().Single();

        Assert.Equal("v1", tag.GetProperty("tag").GetString());
        Assert.Equal(sbom.Digest, tag.GetProperty("digest").GetString());
        Assert.Equal(ManifestBuilder.OciImage, tag.GetProperty("mediaType").GetString());
        Assert.Equal("application/x.sbom", tag.GetProperty("artifactType").GetString());
        Assert.Equal(sbom.Bytes.Length, tag.GetProperty("size").GetInt64());
        Assert.InRange(tag.GetProperty("updatedAt").GetDateTimeOffset(), before, DateTimeOffset.UtcNow.AddSeconds(1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public async Task Next_leads_through_all_pages(int size)
    {
        string[] tags = ["1.0", "1.0-a", "10", "B", "_", "a", "b"];
        foreach (var tag in tags)
            await _client.PushImageAsync(_repository, tag);

        var (all, last) = (new List<string>(), "");
        for (string? next = ""; next is not null;)
        {
            var page = await GetAsync($"&n={size}{last}");
            Assert.InRange(page.GetProperty("items").GetArrayLength(), 1, size);
            all.AddRange(page.GetProperty("items").EnumerateArray().Select(tag => tag.GetProperty("tag").GetString()!));
            next = page.GetProperty("next").GetString();
            Assert.True(next is null || next == all[^1]);
            last = $"&last={next}";
        }

        Assert.Equal(tags.Order(StringComparer.Ordinal), all);
    }

    [Fact]
    public async Task A_repository_without_tags_has_an_empty_list()
    {
        await _client.PushBlobAsync(_repository, TestContent.Layer());
        var page = await GetAsync("");
        Assert.Equal(0, page.GetProperty("items").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, page.GetProperty("next").ValueKind);
    }

    [Theory]
    [InlineData("?repository=no/such", 404, "no/such")]
    [InlineData("?repository=UPPER", 400, "UPPER")]
    [InlineData("?repository=", 400, "'repository' is missing")]
    [InlineData("", 400, "'repository' is missing")]
    public async Task A_repository_that_is_none_is_refused(string query, int status, string named)
        => (await _client.GetAsync($"/api/v1/tags{query}")).ExpectProblem(status, named);

    private async Task<JsonElement> GetAsync(string more)
        => (await _client.GetAsync($"/api/v1/tags?repository={Uri.EscapeDataString(_repository)}{more}")).Expect(200).Json;
}
