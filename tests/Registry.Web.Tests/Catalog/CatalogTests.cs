namespace Registry.Web.Tests.Catalog;

public sealed class CatalogTests(CatalogTests.Filled filled) : IClassFixture<CatalogTests.Filled>
{
    private static readonly string[] Names = ["a", "a-b", "a/b", "b/c", "lib/nginx", "lib/node", "z"];

    /// <summary>A registry with a few repositories and nothing else.</summary>
    public sealed class Filled : IAsyncLifetime
    {
        public RegistryClient Client => Registry!.Client;

        private RegistryFactory? Registry { get; set; }

        public async Task InitializeAsync()
        {
            Registry = await RegistryFactory.StartAsync();
            foreach (var name in Names.Reverse())
            {
                await Client.PushManifestAsync(name, "v1", ManifestBuilder.Index().Build());
                await Client.PushManifestAsync(name, "v2", ManifestBuilder.Index().Annotation("a", "b").Build());
            }

            await Client.PushBlobAsync("blobs-only", TestContent.Random(10));
        }

        public Task DisposeAsync() => Registry!.DisposeAsync();
    }

    [Fact]
    public async Task The_catalog_lists_repositories_with_manifests_in_byte_order()
        => Assert.Equal(Names,
            Repositories((await filled.Client.GetAsync("/v2/_catalog")).Expect(200).ExpectHeader("Link", null)));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task The_catalog_comes_in_pages(int n)
    {
        var (path, seen) = ($"/v2/_catalog?n={n}", new List<string>());
        while (path is not null)
        {
            var page = (await filled.Client.GetAsync(path)).Expect(200);
            Assert.InRange(Repositories(page).Length, 1, n);
            seen.AddRange(Repositories(page));
            path = Distribution.Paging.Next(page);
        }

        Assert.Equal(Names, seen);
    }

    [Theory]
    [InlineData("n=0", "")]
    [InlineData("last=a/b", "b/c,lib/nginx,lib/node,z")]
    [InlineData("last=a%2Fb", "b/c,lib/nginx,lib/node,z")]
    [InlineData("last=aa&n=1", "b/c")]
    [InlineData("last=zz", "")]
    public async Task The_catalog_goes_on_behind_last(string query, string expected)
        => Assert.Equal(expected,
            string.Join(',', Repositories((await filled.Client.GetAsync($"/v2/_catalog?{query}")).Expect(200))));

    [Fact]
    public async Task All_tags_of_all_repositories_come_in_one_list()
    {
        var list = (await filled.Client.GetAsync("/v2/tags/list")).Expect(200).Json.GetProperty("repositories")
            .EnumerateArray().ToList();

        Assert.Equal(Names, list.Select(entry => entry.GetProperty("name").GetString()));
        Assert.All(list, entry
            => Assert.Equal(["v1", "v2"], entry.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString())));
    }

    [Fact]
    public async Task All_tags_come_in_pages_of_repositories()
    {
        var (path, seen, pages) = ("/v2/tags/list?n=2", new List<string>(), 0);
        while (path is not null)
        {
            var page = (await filled.Client.GetAsync(path)).Expect(200);
            seen.AddRange(page.Json.GetProperty("repositories").EnumerateArray()
                .Select(entry => entry.GetProperty("name").GetString()!));
            path = Distribution.Paging.Next(page);
            pages++;
        }

        Assert.Equal(Names, seen);
        Assert.Equal(4, pages);
        Assert.Equal("z",
            Assert.Single((await filled.Client.GetAsync("/v2/tags/list?last=lib/node")).Expect(200)
            .Json.GetProperty("repositories")
            .EnumerateArray().Select(entry => entry.GetProperty("name").GetString())));
    }

    [Fact]
    public async Task A_repository_with_very_many_tags_shows_the_first_1000_among_the_others()
    {
        await using var registry = await RegistryFactory.StartAsync();
        var manifest = ManifestBuilder.Index().Build();
        var tags = Enumerable.Range(1000, 1100).Select(number => $"v{number}").ToArray();
        foreach (var some in tags.Chunk(50))
        {
            (await registry.Client.PutManifestAsync("many", $"{manifest.Digest}?{string.Join('&', some.Select(tag => $"tag={tag}"))}", manifest))
                .Expect(201);
        }

        var entry = Assert.Single((await registry.Client.GetAsync("/v2/tags/list")).Expect(200).Json.GetProperty("repositories").EnumerateArray());

        Assert.Equal(tags[..1000], entry.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
    }

    [Theory]
    [InlineData("q=lib/", "lib/nginx,lib/node")]
    [InlineData("q=lib%2Fno", "lib/node")]
    [InlineData("q=a", "a,a-b,a/b")]
    [InlineData("q=a&n=2", "a,a-b")]
    [InlineData("q=none", "")]
    [InlineData("q=%25", "")]
    [InlineData("q=_", "")]
    [InlineData("", "a,a-b,a/b,b/c,lib/nginx,lib/node,z")]
    public async Task Search_finds_repositories_that_begin_with_the_words(string query, string expected)
    {
        var found = (await filled.Client.GetAsync($"/v1/search?{query}")).Expect(200).Json;

        Assert.Equal(expected,
            string.Join(',', found.GetProperty("results").EnumerateArray()
            .Select(entry => entry.GetProperty("name").GetString())));
    }

    private static string[] Repositories(Answer page)
        => [.. page.Json.GetProperty("repositories").EnumerateArray().Select(name => name.GetString()!)];
}
