using System.Text.Json;
using System.Text.Json.Nodes;

namespace Registry.Web.Tests.Distribution;

public sealed class Section11ReferrersTests(RegistryFactory registry) : DistributionTests(registry)
{
    [Fact(DisplayName = "11.1 An unknown repository, an unknown digest and no referrers are 200 with an empty index")]
    public async Task Nothing()
    {
        Assert.Empty(Entries(await ListAsync(UnknownDigest)));
        var image = await Client.PushImageAsync(Repository, "v1");

        Assert.Empty(Entries(await ListAsync(image.Digest)));
        Assert.Empty(Entries(await ListAsync(UnknownDigest)));
    }

    [Theory(DisplayName = "11.2 A malformed digest is 400")]
    [InlineData("sha256:xyz")]
    [InlineData("latest")]
    [InlineData("sha256:")]
    [InlineData("sha999:abc")]
    public async Task Malformed(string digest)
        => (await Client.GetAsync($"/v2/{Repository}/referrers/{digest}")).ExpectError(400, "DIGEST_INVALID");

    [Theory(DisplayName = "11.3 Content-Type is exactly the index's, whatever Accept says")]
    [InlineData("*/*")]
    [InlineData("application/json")]
    [InlineData("application/vnd.oci.image.index.v1+json")]
    public async Task Content_type(string accept)
        => (await Client.GetAsync($"/v2/{Repository}/referrers/{UnknownDigest}", ("Accept", accept)))
            .Expect(200).ExpectHeader("Content-Type", ManifestBuilder.OciIndex);

    [Fact(DisplayName = "11.4 The body is an index, with an array also when it is empty")]
    public async Task Form()
    {
        var index = (await ListAsync(UnknownDigest)).Json;

        Assert.Equal(2, index.GetProperty("schemaVersion").GetInt32());
        Assert.Equal(ManifestBuilder.OciIndex, index.GetProperty("mediaType").GetString());
        Assert.Equal(JsonValueKind.Array, index.GetProperty("manifests").ValueKind);
    }

    [Fact(DisplayName = "11.5 Every image, artifact and index with the subject is listed once, tagged or not, and nothing else")]
    public async Task Listed()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        var other = await Client.PushImageAsync(Repository, "v2");
        var tagged = await PushAsync((await Client.NewImageAsync(Repository)).Subject(subject), tag: "tagged");
        var untagged = await PushAsync((await Client.NewArtifactAsync(Repository, "application/x")).Subject(subject));
        var index = await PushAsync(ManifestBuilder.Index(other).Subject(subject));
        await Client.PushManifestAsync(Repository, "again", tagged);
        await PushAsync((await Client.NewImageAsync(Repository)).Subject(other));

        Assert.Equal(Sorted(tagged, untagged, index), Digests(await ListAsync(subject.Digest)));
    }

    [Fact(DisplayName = "11.5 Referrers of another repository are not listed")]
    public async Task Other_repository()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        var other = RegistryFactory.NewRepository();
        var referrer = (await Client.NewImageAsync(other)).Subject(subject).Build();
        await Client.PushManifestAsync(other, "r", referrer);

        Assert.Empty(Entries(await ListAsync(subject.Digest)));
        Assert.Single(Entries(await Client.GetAsync($"/v2/{other}/referrers/{subject.Digest}")));
    }

    [Fact(DisplayName = "11.6 A descriptor has media type, digest, size, artifactType and all annotations")]
    public async Task Descriptor()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        var referrer = await PushAsync((await Client.NewArtifactAsync(Repository, "application/vnd.example.sbom"))
            .Subject(subject).Annotation("org.example.a", "1").Annotation("größe", "\"x\"").Annotation("empty", ""));

        var entry = Assert.Single(Entries(await ListAsync(subject.Digest)));

        Assert.Equal(ManifestBuilder.OciImage, entry.GetProperty("mediaType").GetString());
        Assert.Equal(referrer.Digest, entry.GetProperty("digest").GetString());
        Assert.Equal(referrer.Bytes.Length, entry.GetProperty("size").GetInt64());
        Assert.Equal("application/vnd.example.sbom", entry.GetProperty("artifactType").GetString());
        var annotations = entry.GetProperty("annotations").EnumerateObject().ToDictionary(member
            => member.Name, member => member.Value.GetString());
        Assert.Equal(new Dictionary<string, string?> { ["org.example.a"] = "1", ["größe"] = "\"x\"", ["empty"] = "" },
            annotations);
    }

    [Fact(DisplayName = "11.7 artifactType comes from the manifest, else from an image's config; an index without one has none")]
    public async Task Artifact_type()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        var own = await PushAsync((await Client.NewImageAsync(Repository)).Subject(subject)
            .With("artifactType", "application/own"));
        var config = await PushAsync((await Client.NewImageAsync(Repository)).Subject(subject));
        var index = await PushAsync(ManifestBuilder.Index().Subject(subject));
        var typedIndex = await PushAsync(ManifestBuilder.Index().Subject(subject)
            .With("artifactType", "application/index"));

        var types = Entries(await ListAsync(subject.Digest)).ToDictionary(
            entry => entry.GetProperty("digest").GetString()!,
            entry => entry.TryGetProperty("artifactType", out var type) ? type.GetString() : "(left out)");

        Assert.Equal("application/own", types[own.Digest]);
        Assert.Equal("application/vnd.oci.image.config.v1+json", types[config.Digest]);
        Assert.Equal("(left out)", types[index.Digest]);
        Assert.Equal("application/index", types[typedIndex.Digest]);
    }

    [Fact(DisplayName = "11.8 Referrers are listed before the subject is there, without it, and after its deletion")]
    public async Task Independent()
    {
        var subject = (await Client.NewImageAsync(Repository)).Build();
        var referrer = await PushAsync((await Client.NewImageAsync(Repository)).Subject(subject));
        Assert.Equal(Sorted(referrer), Digests(await ListAsync(subject.Digest)));

        await Client.PushManifestAsync(Repository, "v1", subject);
        Assert.Equal(Sorted(referrer), Digests(await ListAsync(subject.Digest)));

        (await Client.DeleteAsync(ManifestPath(subject.Digest))).Expect(202);
        Assert.Equal(Sorted(referrer), Digests(await ListAsync(subject.Digest)));
        (await Client.GetAsync(ManifestPath(referrer.Digest))).Expect(200);
    }

    [Fact(DisplayName = "11.9 A deleted referrer disappears, one pushed twice is listed once, one pushed again comes back")]
    public async Task Deleted()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        var builder = (await Client.NewImageAsync(Repository)).Subject(subject);
        var referrer = await PushAsync(builder);
        await PushAsync(builder, tag: "r");
        Assert.Equal(Sorted(referrer), Digests(await ListAsync(subject.Digest)));

        (await Client.DeleteAsync(ManifestPath(referrer.Digest))).Expect(202);
        Assert.Empty(Entries(await ListAsync(subject.Digest)));

        await PushAsync(builder);
        Assert.Equal(Sorted(referrer), Digests(await ListAsync(subject.Digest)));
    }

    [Fact(DisplayName = "11.10 artifactType filters and says so, also when nothing is left; without it nothing is said")]
    public async Task Filter()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        var json = await PushAsync((await Client.NewArtifactAsync(Repository,
            "application/vnd.example+json")).Subject(subject));
        var image = await PushAsync((await Client.NewImageAsync(Repository)).Subject(subject));
        var path = $"/v2/{Repository}/referrers/{subject.Digest}";

        var filtered = await Client.GetAsync($"{path}?artifactType=application%2Fvnd.example%2Bjson");
        Assert.Equal(Sorted(json), Digests(filtered.Expect(200).ExpectHeader("OCI-Filters-Applied", "artifactType")));
        var byConfig = await Client.GetAsync($"{path}?artifactType={Uri.EscapeDataString("application/vnd.oci.image.config.v1+json")}");
        Assert.Equal(Sorted(image), Digests(byConfig.ExpectHeader("OCI-Filters-Applied", "artifactType")));
        Assert.Empty(Entries((await Client.GetAsync($"{path}?artifactType=application%2Fnone"))
            .ExpectHeader("OCI-Filters-Applied", "artifactType")));
        Assert.Equal(Sorted(json, image),
            Digests((await Client.GetAsync(path)).ExpectHeader("OCI-Filters-Applied", null)));
    }

    [Fact(DisplayName = "11.11 A list in pages has Link, every page is an index, and the filter is kept")]
    public async Task Pages()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        var wanted = new List<TestContent>();
        for (var i = 0; i < 5; i++)
        {
            wanted.Add(await PushAsync((await Client.NewArtifactAsync(Repository,
                "application/wanted")).Subject(subject)));
            await PushAsync((await Client.NewArtifactAsync(Repository, "application/other")).Subject(subject));
        }

        string? path = $"/v2/{Repository}/referrers/{subject.Digest}?n=2&artifactType=application%2Fwanted";
        var (seen, pages) = (new List<string>(), 0);
        while (path is not null)
        {
            var page = (await Client.GetAsync(path)).Expect(200)
                .ExpectHeader("Content-Type", ManifestBuilder.OciIndex)
                .ExpectHeader("OCI-Filters-Applied", "artifactType");
            Assert.Equal(2, page.Json.GetProperty("schemaVersion").GetInt32());
            seen.AddRange(Entries(page).Select(entry => entry.GetProperty("digest").GetString()!));
            path = Paging.Next(page);
            Assert.True(++pages <= 3);
        }

        Assert.Equal(3, pages);
        Assert.Equal(Sorted([.. wanted]), seen.Order(StringComparer.Ordinal));
        Assert.Equal(10, Entries(await ListAsync(subject.Digest)).Length);
    }

    [Fact(DisplayName = "11.11 A list that would not fit into 4 MiB comes in pages")]
    public async Task Large_list()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        var pushed = new List<TestContent>();
        for (var i = 0; i < 6; i++)
            pushed.Add(await PushAsync(ManifestBuilder.Index().Subject(subject).Annotation("padding",
                new string((char)('a' + i), 1_000_000))));

        string? path = $"/v2/{Repository}/referrers/{subject.Digest}";
        var seen = new List<string>();
        while (path is not null)
        {
            var page = (await Client.GetAsync(path)).Expect(200);
            Assert.InRange(page.Body.Length, 1, 4 * 1024 * 1024);
            seen.AddRange(Entries(page).Select(entry => entry.GetProperty("digest").GetString()!));
            path = Paging.Next(page);
        }

        Assert.Equal(Sorted([.. pushed]), seen.Order(StringComparer.Ordinal));
    }

    [Fact(DisplayName = "11.12 An image listed in a fallback tag is among the referrers")]
    public async Task Fallback_tag()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        var referrer = await PushAsync((await Client.NewImageAsync(Repository)).Subject(subject));
        var fallback = ManifestBuilder.Index(referrer).Build();
        await Client.PushManifestAsync(Repository, subject.Digest.Replace(':', '-'), fallback);

        Assert.Equal(Sorted(referrer), Digests(await ListAsync(subject.Digest)));
    }

    [Fact(DisplayName = "11.13 A subject in sha512 works like one in sha256")]
    public async Task Sha512()
    {
        var subject = (await Client.NewImageAsync(Repository)).Build().AsSha512();
        await Client.PushManifestAsync(Repository, subject.Digest, subject);
        var referrer = (await Client.NewImageAsync(Repository)).Subject(subject).Build().AsSha512();

        (await Client.PutManifestAsync(Repository, referrer.Digest, referrer)).Expect(201)
            .ExpectHeader("OCI-Subject", subject.Digest);

        Assert.Equal([referrer.Sha512], Digests(await ListAsync(subject.Sha512)));
        Assert.Empty(Entries(await ListAsync(subject.Sha256)));
    }

    [Fact(DisplayName = "11.6 A referrer without annotations has no empty or null member")]
    public async Task No_null_members()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        await PushAsync(ManifestBuilder.Index().Subject(subject));

        var entry = JsonNode.Parse(Assert.Single(Entries(await ListAsync(subject.Digest))).GetRawText())!.AsObject();

        Assert.All(entry, member => Assert.NotNull(member.Value));
    }

    private async Task<Answer> ListAsync(string digest)
        => (await Client.GetAsync($"/v2/{Repository}/referrers/{digest}")).Expect(200);

    private async Task<TestContent> PushAsync(ManifestBuilder builder, string? tag = null)
    {
        var manifest = builder.Build();
        return await Client.PushManifestAsync(Repository, tag ?? manifest.Digest, manifest);
    }

    private static JsonElement[] Entries(Answer list) => [.. list.Json.GetProperty("manifests").EnumerateArray()];

    private static string[] Digests(Answer list)
        => [.. Entries(list).Select(entry => entry.GetProperty("digest").GetString()!).Order(StringComparer.Ordinal)];

    private static string[] Sorted(params TestContent[] manifests)
        => [.. manifests.Select(manifest => manifest.Digest).Order(StringComparer.Ordinal)];
}
