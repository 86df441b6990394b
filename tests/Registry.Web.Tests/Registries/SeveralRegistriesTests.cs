namespace Registry.Web.Tests.Registries;

/// <summary>One instance, several registries: each request means exactly one of them.</summary>
public sealed class SeveralRegistriesTests(SeveralRegistriesTests.Instance instance)
    : IClassFixture<SeveralRegistriesTests.Instance>
{
    public sealed class Instance : IAsyncLifetime
    {
        public RegistryClient Client => Registry!.Client;

        private RegistryFactory? Registry { get; set; }

        public async Task InitializeAsync()
            => Registry = await RegistryFactory.StartAsync(
                ("Registries:team:Path", "team"),
                ("Registries:nested:Path", "teams/nested"),
                ("Registries:images:Hosts:0", "images.example"),
                ("Registries:images:Hosts:1", "*.images.example"),
                ("Registries:port:Hosts:0", "*:5001"));

        public Task DisposeAsync() => Registry!.DisposeAsync();
    }

    private static readonly (string, string) ImagesHost = ("Host", "images.example");

    private readonly RegistryClient _client = instance.Client;
    private readonly string _name = $"x{Guid.NewGuid():N}";

    [Fact]
    public async Task A_path_leads_to_its_registry_and_every_address_shows_the_name_the_client_used()
    {
        var repository = $"team/{_name}";
        var blob = TestContent.Random(50);
        var location = await _client.StartUploadAsync(repository);
        Assert.StartsWith($"/v2/{repository}/blobs/uploads/", PathOf(location), StringComparison.Ordinal);

        Assert.Equal($"/v2/{repository}/blobs/{blob.Digest}",
            PathOf((await _client.CloseAsync(location, blob.Digest, blob.Bytes)).Expect(201).Location));
        var manifest = (await _client.NewImageAsync(repository)).Build();
        Assert.Equal($"/v2/{repository}/manifests/v1",
            PathOf((await _client.PutManifestAsync(repository, "v1", manifest)).Expect(201).Location)
            .Replace(manifest.Digest, "v1", StringComparison.Ordinal));

        Assert.Equal(repository, (await _client.GetAsync($"/v2/{repository}/tags/list")).Expect(200)
            .Json.GetProperty("name").GetString());
        Assert.Equal(repository, (await _client.GetAsync($"/v2/{repository}-unknown/tags/list"))
            .ExpectError(404, "NAME_UNKNOWN")
            .Json.GetProperty("errors")[0].GetProperty("detail").GetProperty("name").GetString()!.Replace("-unknown",
            "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_path_ends_at_a_slash()
    {
        string[] names = [_name, $"team/{_name}", $"teams/nested/{_name}", $"teamx/{_name}", $"teams/{_name}",
            $"teams/nestedx/{_name}"];
        for (var i = 0; i < names.Length; i++)
            await _client.PushImageAsync(names[i], $"v{i}");

        for (var i = 0; i < names.Length; i++)
            Assert.Equal($"v{i}", (await _client.GetAsync($"/v2/{names[i]}/tags/list")).Expect(200)
                .Json.GetProperty("tags").EnumerateArray().Single().GetString());
    }

    [Fact]
    public async Task A_registry_of_another_name_may_stand_at_the_root()
    {
        await using var registry = await RegistryFactory.StartAsync(("Registries:main:Path", ""));

        await registry.Client.PushImageAsync("a", "v1");

        (await registry.Client.GetAsync("/v2/a/manifests/v1")).Expect(200);
    }

    [Theory]
    [InlineData("team", "team")]
    [InlineData("team", "team/nested")]
    public async Task Paths_that_overlap_stop_the_start_and_are_named(string first, string second)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var registry = await RegistryFactory.StartAsync(("Registries:a:Path", first),
                ("Registries:b:Path", second));
        });

        Assert.Contains("Registry:Registries:a:Path", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Registry:Registries:b:Path", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Registries_share_no_repositories_even_under_the_same_name()
    {
        var blob = await _client.PushBlobAsync($"team/{_name}", TestContent.Random(50));

        (await _client.GetAsync($"/v2/{_name}/blobs/{blob.Digest}")).Expect(404);
        (await _client.GetAsync($"/v2/{_name}/blobs/{blob.Digest}", ImagesHost)).Expect(404);
        (await _client.PostAsync($"/v2/{_name}/blobs/uploads/?mount={blob.Digest}&from=team/{_name}")).Expect(201);
        (await _client.GetAsync($"/v2/{_name}/blobs/{blob.Digest}")).Expect(200);
    }

    [Theory]
    [InlineData("images.example")]
    [InlineData("IMAGES.example")]
    [InlineData("images.example:8443")]
    [InlineData("eu.images.example")]
    [InlineData("a.b.images.example")]
    public async Task A_host_leads_to_its_registry_with_the_whole_name(string host)
    {
        var (blob, header) = (TestContent.Random(50), ("Host", host));
        var location = (await _client.PostAsync($"/v2/team/{_name}/blobs/uploads/", null, header)).Expect(202).Location;
        Assert.StartsWith($"/v2/team/{_name}/blobs/uploads/", PathOf(location), StringComparison.Ordinal);
        (await _client.CloseAsync(PathOf(location), blob.Digest, blob.Bytes, header)).Expect(201);

        (await _client.GetAsync($"/v2/team/{_name}/blobs/{blob.Digest}", ImagesHost)).Expect(200);
        (await _client.GetAsync($"/v2/team/{_name}/blobs/{blob.Digest}")).Expect(404);
    }

    [Fact]
    public async Task A_port_leads_to_its_registry_under_whatever_name()
    {
        var (blob, header) = (TestContent.Random(50), ("Host", "localhost:5001"));
        var location = (await _client.PostAsync($"/v2/team/{_name}/blobs/uploads/", null, header)).Expect(202).Location;
        Assert.StartsWith($"/v2/team/{_name}/blobs/uploads/", location, StringComparison.Ordinal);
        (await _client.CloseAsync(PathOf(location), blob.Digest, blob.Bytes, header)).Expect(201);

        (await _client.GetAsync($"/v2/team/{_name}/blobs/{blob.Digest}", ("Host", "registry.example:5001"))).Expect(200);
        (await _client.GetAsync($"/v2/team/{_name}/blobs/{blob.Digest}", ("Host", "localhost:5002"))).Expect(404);
        (await _client.GetAsync($"/v2/team/{_name}/blobs/{blob.Digest}", ("Host", "images.example:5001"))).Expect(404);
    }

    [Theory]
    [InlineData("ximages.example")]
    [InlineData("images.example.evil")]
    [InlineData(".images.example")]
    public async Task Another_host_is_not_taken_for_it(string host)
    {
        var blob = TestContent.Random(50);
        var location = (await _client.PostAsync($"/v2/{_name}/blobs/uploads/", null, ImagesHost)).Expect(202).Location;
        (await _client.CloseAsync(PathOf(location), blob.Digest, blob.Bytes, ImagesHost)).Expect(201);

        var answer = await RawHttp.SendAsync(
            _client.Address,
                [.. $"GET /v2/{_name}/blobs/{blob.Digest} HTTP/1.1\r\nHost: {host}\r\n\r\n".Select(c => (byte)c)],
                "GET");

        answer!.Expect(404, 400);
    }

    [Fact]
    public async Task A_session_of_one_registry_is_unknown_in_the_others()
    {
        var location = PathOf(await _client.StartUploadAsync($"team/{_name}"));

        (await _client.GetAsync(location.Replace("/v2/team/", "/v2/", StringComparison.Ordinal)))
            .ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await _client.GetAsync(location, ImagesHost)).ExpectError(404, "BLOB_UPLOAD_UNKNOWN");
        (await _client.GetAsync(location)).Expect(204);
    }

    [Fact]
    public async Task A_push_minds_no_ns()
    {
        var image = await _client.PushImageAsync(_name, "v1");
        (await _client.PutManifestAsync(_name, "v2?ns=docker.io", image)).Expect(201);
    }

    [Fact]
    public async Task An_unknown_ns_is_404_and_never_falls_through()
    {
        await _client.PushImageAsync(_name, "v1");

        (await _client.GetAsync($"/v2/{_name}/manifests/v1?ns=docker.io")).Expect(404);
        (await _client.HeadAsync($"/v2/{_name}/manifests/v1?ns=docker.io")).Expect(404);
        (await _client.GetAsync($"/v2/{_name}/manifests/v1")).Expect(200);
    }

    [Fact]
    public async Task The_catalog_merges_the_registries_of_a_host_in_order_and_pages_over_them()
    {
        string[] names = [$"a{_name}", $"t{_name}", $"team/{_name}", $"teams/nested/{_name}", $"team/z{_name}",
            $"z{_name}"];
        foreach (var name in names)
            await _client.PushManifestAsync(name, "v1", ManifestBuilder.Index().Build());

        var whole = await ReadAsync("/v2/_catalog");
        Assert.Equal(whole.Order(StringComparer.Ordinal), whole);
        Assert.Equal(names.Order(StringComparer.Ordinal),
            whole.Where(name => name.Contains(_name, StringComparison.Ordinal)));
        foreach (var n in new[] { 1, 2, 3, 100 })
            Assert.Equal(whole, await ReadAsync($"/v2/_catalog?n={n}"));
    }

    [Fact]
    public async Task The_catalog_of_a_host_has_that_registry_alone()
    {
        var location = $"/v2/{_name}/manifests/v1";
        var index = ManifestBuilder.Index().Build();
        (await _client.PutAsync(location, index.Bytes, ("Content-Type", index.MediaType), ImagesHost)).Expect(201);
        await _client.PushManifestAsync($"root/{_name}", "v1", index);

        var list = (await _client.GetAsync("/v2/_catalog", ImagesHost)).Expect(200).Text;

        Assert.Contains($"\"{_name}\"", list, StringComparison.Ordinal);
        Assert.DoesNotContain($"root/{_name}", list, StringComparison.Ordinal);
        Assert.DoesNotContain($"\"{_name}\"", (await _client.GetAsync("/v2/_catalog")).Text, StringComparison.Ordinal);
    }

    private async Task<List<string>> ReadAsync(string? path)
    {
        var names = new List<string>();
        while (path is not null)
        {
            var page = (await _client.GetAsync(path)).Expect(200);
            names.AddRange(page.Json.GetProperty("repositories").EnumerateArray().Select(name => name.GetString()!));
            path = Distribution.Paging.Next(page);
        }

        return names;
    }

    private string PathOf(string location) => new Uri(_client.Address, location).PathAndQuery;
}
