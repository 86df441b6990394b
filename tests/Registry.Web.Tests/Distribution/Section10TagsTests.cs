namespace Registry.Web.Tests.Distribution;

public sealed class Section10TagsTests(RegistryFactory registry) : DistributionTests(registry)
{
    // In byte order: digits, capitals, underscore, small letters.
    private static readonly string[] Sorted = ["0", "1.0", "1.0-rc", "10", "9", "A", "B", "_x", "a", "a-b", "a.b",
        "aa"];

    private string ListPath => $"/v2/{Repository}/tags/list";

    [Fact(DisplayName = "10.1 The list has the name and the tags, and an empty list is an array")]
    public async Task Form()
    {
        await PushAsync("v1");
        var list = (await Client.GetAsync(ListPath)).Expect(200);
        Assert.StartsWith("application/json", list.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Equal(Repository, list.Json.GetProperty("name").GetString());
        Assert.Equal(["v1"], Tags(list));

        (await Client.DeleteAsync(ManifestPath("v1"))).Expect(202);

        Assert.Empty(Tags((await Client.GetAsync(ListPath)).Expect(200)));
    }

    [Fact(DisplayName = "10.2 An unknown repository is 404")]
    public async Task Unknown() => (await Client.GetAsync(ListPath)).ExpectError(404, "NAME_UNKNOWN");

    [Fact(DisplayName = "10.3 Tags are in byte order, and last counts in the same order")]
    public async Task Order()
    {
        await PushAsync([.. Sorted.Reverse()]);

        Assert.Equal(Sorted, Tags(await Client.GetAsync(ListPath)));
        for (var i = 0; i < Sorted.Length; i++)
            Assert.Equal(Sorted[(i + 1)..], Tags(await Client.GetAsync($"{ListPath}?last={Sorted[i]}")));
    }

    [Fact(DisplayName = "10.4 n is how many tags come, unless fewer are left")]
    public async Task Page_size()
    {
        await PushAsync(Sorted);

        for (var n = 1; n <= Sorted.Length + 1; n++)
            Assert.Equal(Sorted.Take(n), Tags((await Client.GetAsync($"{ListPath}?n={n}")).Expect(200)));
    }

    [Fact(DisplayName = "10.5 n=0 is an empty list without Link")]
    public async Task Page_of_nothing()
    {
        await PushAsync("a", "b");

        Assert.Empty(Tags((await Client.GetAsync($"{ListPath}?n=0")).Expect(200).ExpectHeader("Link", null)));
        Assert.Empty(Tags((await Client.GetAsync($"{ListPath}?n=0&last=a")).Expect(200).ExpectHeader("Link", null)));
    }

    [Theory(DisplayName = "10.6 last excludes itself, need not exist, and works without n")]
    [InlineData("b", "c,d")]
    [InlineData("bb", "c,d")]
    [InlineData("0", "b,c,d")]
    [InlineData("d", "")]
    [InlineData("zzz", "")]
    [InlineData("", "b,c,d")]
    [InlineData("%C3%A4", "")]
    [InlineData("b%00", "c,d")]
    public async Task Last(string last, string expected)
    {
        await PushAsync("b", "c", "d");

        Assert.Equal(expected, string.Join(',', Tags((await Client.GetAsync($"{ListPath}?last={last}")).Expect(200))));
        Assert.Equal(expected.Split(',')[0],
            string.Join(',', Tags((await Client.GetAsync($"{ListPath}?n=1&last={last}")).Expect(200))));
    }

    [Fact(DisplayName = "10.7 Link leads through all pages, each tag once, and the last page has none")]
    public async Task Link()
    {
        await PushAsync(Sorted);
        var (path, seen, pages) = ($"{ListPath}?n=5", new List<string>(), 0);

        while (path is not null)
        {
            var page = (await Client.GetAsync(path)).Expect(200);
            seen.AddRange(Tags(page));
            path = Paging.Next(page);
            Assert.True(path is null || PathOf(path).StartsWith($"{ListPath}?", StringComparison.Ordinal), path);
            Assert.True(++pages <= 3);
        }

        Assert.Equal(Sorted, seen);
    }

    [Fact(DisplayName = "10.8 Without n the whole list comes, or a first page with Link")]
    public async Task Whole_list()
    {
        var manifest = await Client.PushImageAsync(Repository, "t0000");
        foreach (var chunk in Enumerable.Range(1, 1200).Chunk(50))
        {
            var query = string.Join('&', chunk.Select(i => $"tag=t{i:0000}"));
            (await Client.PutManifestAsync(Repository, $"{manifest.Digest}?{query}", manifest)).Expect(201);
        }

        var list = (await Client.GetAsync(ListPath)).Expect(200).ExpectHeader("Link", null);

        Assert.Equal(Enumerable.Range(0, 1201).Select(i => $"t{i:0000}"), Tags(list));
    }

    [Theory(DisplayName = "10.9 A negative or non-numeric n is 400, a huge one is as many as there are")]
    [InlineData("-1", 400)]
    [InlineData("abc", 400)]
    [InlineData("1.5", 400)]
    [InlineData("0x10", 400)]
    [InlineData("%2B5", 400)]
    [InlineData("999999", 200)]
    [InlineData("2147483648", 200)]
    [InlineData("9223372036854775808", 200)]
    [InlineData("999999999999999999999999999999", 200)]
    public async Task Odd_sizes(string n, int status)
    {
        await PushAsync("a", "b");

        var list = (await Client.GetAsync($"{ListPath}?n={n}")).Expect(status);

        if (status == 200)
            Assert.Equal(["a", "b"], Tags(list));
        else
            Assert.NotEmpty(list.ErrorCodes());
    }

    [Fact(DisplayName = "10.10 A tag that is pushed or deleted shows in the next list")]
    public async Task Changes()
    {
        await PushAsync("a");
        for (var i = 0; i < 5; i++)
        {
            await PushAsync("b");
            Assert.Equal(["a", "b"], Tags(await Client.GetAsync(ListPath)));
            (await Client.DeleteAsync(ManifestPath("b"))).Expect(202);
            Assert.Equal(["a"], Tags(await Client.GetAsync(ListPath)));
        }
    }

    private async Task PushAsync(params string[] tags)
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build();
        foreach (var tag in tags)
            await Client.PushManifestAsync(Repository, tag, manifest);
    }

    private static string[] Tags(Answer list)
        => [.. list.Json.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!)];
}
