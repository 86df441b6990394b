namespace Registry.Web.Tests.Distribution;

public sealed class Section01NamesTests(RegistryFactory registry) : DistributionTests(registry)
{
    [Theory(DisplayName = "1.1 Every name of the grammar is a repository")]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("a--b")]
    [InlineData("a-----b")]
    [InlineData("a__b")]
    [InlineData("a_b")]
    [InlineData("a.b")]
    [InlineData("a/b/c")]
    [InlineData("a/b/c/d/e/f/g/h/i/j")]
    [InlineData("a1.b2_c3__d4-e5/f6---g7")]
    public async Task Good_names(string name)
    {
        var repository = $"{name}/{Guid.NewGuid():N}";
        var manifest = await Client.PushImageAsync(repository, "v1");

        Assert.Equal(manifest.Bytes, (await Client.GetAsync($"/v2/{repository}/manifests/v1")).Expect(200).Body);
    }

    [Theory(DisplayName = "1.1 A name outside the grammar is refused for every kind of request")]
    [MemberData(nameof(BadNames))]
    public async Task Bad_names(string name)
    {
        (await Client.PostAsync($"/v2/{name}/blobs/uploads/")).ExpectError(400, "NAME_INVALID");
        (await Client.GetAsync($"/v2/{name}/tags/list")).ExpectError(400, "NAME_INVALID");
        (await Client.GetAsync($"/v2/{name}/manifests/v1")).ExpectError(400, "NAME_INVALID");
        (await Client.GetAsync($"/v2/{name}/blobs/{UnknownDigest}")).ExpectError(400, "NAME_INVALID");
    }

    [Theory(DisplayName = "1.7 An illegal name is 400 or 404 with NAME_INVALID, and nothing is stored under it")]
    [MemberData(nameof(BadNames))]
    public async Task Bad_names_store_nothing(string name)
    {
        var manifest = ManifestBuilder.Index().Build();

        (await Client.PutManifestAsync(name, "v1", manifest)).ExpectError(400, "NAME_INVALID");
        (await Client.DeleteAsync($"/v2/{name}/manifests/v1")).ExpectError(400, "NAME_INVALID");
        Assert.DoesNotContain(name, (await Client.GetAsync("/v2/_catalog")).Expect(200).Json.GetProperty("repositories")
            .EnumerateArray().Select(entry => entry.GetString()));
    }

    public static TheoryData<string> BadNames =>
    [
        "Upper", "a/B", "a..b", "a___b", "-a", "a-", "_a", "a_", ".a", "a.", "a/-b", "a-/b", "a/.b", "a._b", "a%20b",
        "a%2Bb", "a@b",
        "%C3%A4", "a%0A",
    ];

    [Theory(DisplayName = "1.2 A name may be 255 characters long, not 256")]
    [InlineData(255, 202)]
    [InlineData(256, 400)]
    public async Task Longest_name(int length, int status)
        => (await Client.PostAsync($"/v2/{new string('a', length)}/blobs/uploads/")).Expect(status);

    [Theory(DisplayName = "1.3 Every tag of the grammar can be pushed and pulled")]
    [InlineData("v1")]
    [InlineData("_")]
    [InlineData("A")]
    [InlineData("0")]
    [InlineData("1.0.0-RC.1_build")]
    [InlineData("a..b--c__d")]
    [InlineData("manifests")]
    public async Task Good_tags(string tag)
    {
        await Client.PushImageAsync(Repository, tag);

        (await Client.HeadAsync(ManifestPath(tag))).Expect(200);
    }

    [Fact(DisplayName = "1.3 A tag may be 128 characters long, not 129")]
    public async Task Longest_tag()
    {
        var manifest = await Client.PushImageAsync(Repository, new string('t', 128));

        (await Client.GetAsync(ManifestPath(new string('t', 128)))).Expect(200);
        (await Client.PutManifestAsync(Repository, new string('t', 129), manifest))
            .ExpectError(400, "MANIFEST_INVALID");
    }

    [Theory(DisplayName = "1.3 A tag outside the grammar cannot be pushed")]
    [InlineData(".v1")]
    [InlineData("-v1")]
    [InlineData("v%2B1")]
    [InlineData("v%201")]
    [InlineData("v1%0A")]
    [InlineData("%C3%A4")]
    public async Task Bad_tags(string tag)
        => (await Client.PutManifestAsync(Repository, tag, ManifestBuilder.Index().Build()))
            .ExpectError(400, "MANIFEST_INVALID");

    [Fact(DisplayName = "1.4 A reference is a tag or a digest, and a colon tells them apart")]
    public async Task Tag_or_digest()
    {
        var manifest = await Client.PushImageAsync(Repository, "sha256");

        (await Client.GetAsync(ManifestPath("sha256"))).Expect(200)
            .ExpectHeader("Docker-Content-Digest", manifest.Digest);
        (await Client.GetAsync(ManifestPath(manifest.Digest))).Expect(200);
        (await Client.PutManifestAsync(Repository, "v1:2", manifest)).ExpectError(400, "DIGEST_INVALID");
    }

    [Theory(DisplayName = "1.5 A digest is its algorithm, a colon and lower-case hex of the algorithm's length")]
    [InlineData("sha256:", 63)]
    [InlineData("sha256:", 65)]
    [InlineData("sha512:", 64)]
    [InlineData("sha512:", 127)]
    [InlineData("sha384:", 96)]
    [InlineData("SHA256:", 64)]
    [InlineData("md5:", 32)]
    [InlineData("sha256:A", 63)]
    [InlineData("sha256:g", 63)]
    [InlineData("sha256", 64)]
    [InlineData("sha256:sha256:", 57)]
    public async Task Bad_digests(string start, int digits)
    {
        var digest = start + new string('a', digits);

        (await Client.GetAsync(BlobPath(digest))).ExpectError(400, "DIGEST_INVALID");
        (await Client.CloseAsync(await Client.StartUploadAsync(Repository), digest, []))
            .ExpectError(400, "DIGEST_INVALID");
    }

    [Theory(DisplayName = "1.5 An encoded colon is a colon")]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task Encoded_colon(string algorithm)
    {
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(10) with { Algorithm = algorithm });

        (await Client.GetAsync(BlobPath(blob.Digest.Replace(":", "%3A", StringComparison.Ordinal)))).Expect(200);
    }

    [Theory(DisplayName = "1.6 The words of the API may be part of a name: the path is read from the right")]
    [InlineData("manifests")]
    [InlineData("blobs")]
    [InlineData("tags")]
    [InlineData("referrers")]
    [InlineData("uploads")]
    [InlineData("blobs/uploads")]
    [InlineData("manifests/manifests")]
    [InlineData("tags/list")]
    [InlineData("list")]
    [InlineData("v2")]
    [InlineData("token")]
    public async Task Words_of_the_api(string word)
    {
        foreach (var repository in new[] { $"{Repository}/{word}", $"{Repository}/{word}/x" })
        {
            var manifest = await Client.PushImageAsync(repository, "list");
            var blob = await Client.PushBlobAsync(repository, TestContent.Random(5));

            Assert.Equal(manifest.Bytes, (await Client.GetAsync($"/v2/{repository}/manifests/list")).Expect(200).Body);
            Assert.Equal(blob.Bytes, (await Client.GetAsync($"/v2/{repository}/blobs/{blob.Digest}")).Expect(200).Body);
            Assert.Equal(repository, (await Client.GetAsync($"/v2/{repository}/tags/list")).Expect(200)
                .Json.GetProperty("name").GetString());
            (await Client.GetAsync($"/v2/{repository}/referrers/{manifest.Digest}")).Expect(200);
            (await Client.DeleteAsync($"/v2/{repository}/manifests/list")).Expect(202);
        }
    }
}
