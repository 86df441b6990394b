using System.Text;

namespace Registry.Web.Tests.Distribution;

public sealed class Section03PullManifestTests(RegistryFactory registry) : DistributionTests(registry)
{
    [Fact(DisplayName = "3.1 A manifest is pulled in exactly the bytes it was pushed in, by tag and by digest")]
    public async Task Exact_bytes()
    {
        var built = (await Client.NewImageAsync(Repository)).Build();
        var manifest = built with { Bytes = [.. "\n  "u8, .. built.Bytes, .. "\r\n\n"u8] };
        await Client.PushManifestAsync(Repository, "v1", manifest);

        Assert.Equal(manifest.Bytes, (await Client.GetAsync(ManifestPath("v1"))).Expect(200).Body);
        Assert.Equal(manifest.Bytes, (await Client.GetAsync(ManifestPath(manifest.Digest))).Expect(200).Body);
    }

    [Fact(DisplayName = "3.2 Content-Type is what was pushed, without parameters")]
    public async Task Content_type()
    {
        var image = await Client.PushImageAsync(Repository, "image");
        await Client.PushManifestAsync(Repository, "index", ManifestBuilder.Index(image).Build());

        (await Client.GetAsync(ManifestPath("image"))).ExpectHeader("Content-Type", ManifestBuilder.OciImage);
        (await Client.HeadAsync(ManifestPath("image"))).ExpectHeader("Content-Type", ManifestBuilder.OciImage);
        (await Client.GetAsync(ManifestPath("index"))).ExpectHeader("Content-Type", ManifestBuilder.OciIndex);
    }

    [Theory(DisplayName = "3.3 Docker-Content-Digest is on GET and HEAD, by digest in the requested algorithm")]
    [InlineData("GET", "sha256")]
    [InlineData("HEAD", "sha256")]
    [InlineData("GET", "sha512")]
    [InlineData("HEAD", "sha512")]
    public async Task Digest_header(string method, string algorithm)
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build() with { Algorithm = algorithm };
        await Client.PushManifestAsync(Repository, manifest.Digest, manifest);

        (await Client.SendAsync(method, ManifestPath(manifest.Digest))).Expect(200)
            .ExpectHeader("Docker-Content-Digest", manifest.Digest);
    }

    [Fact(DisplayName = "3.3 A manifest pushed under both algorithms is served under each with its own digest")]
    public async Task Both_algorithms()
    {
        var manifest = await Client.PushImageAsync(Repository, "v1");
        await Client.PushManifestAsync(Repository, manifest.Sha512, manifest);

        (await Client.GetAsync(ManifestPath(manifest.Sha256))).Expect(200)
            .ExpectHeader("Docker-Content-Digest", manifest.Sha256);
        (await Client.GetAsync(ManifestPath(manifest.Sha512))).Expect(200)
            .ExpectHeader("Docker-Content-Digest", manifest.Sha512);
    }

    [Fact(DisplayName = "3.4 An unknown manifest is 404")]
    public async Task Unknown_manifest()
    {
        await Client.PushImageAsync(Repository, "v1");

        (await Client.GetAsync(ManifestPath("v2"))).ExpectError(404, "MANIFEST_UNKNOWN");
        (await Client.GetAsync(ManifestPath(UnknownDigest))).ExpectError(404, "MANIFEST_UNKNOWN");
    }

    [Fact(DisplayName = "3.4 A manifest of an unknown repository is 404")]
    public async Task Unknown_repository()
    {
        (await Client.GetAsync(ManifestPath("v1"))).ExpectError(404, "MANIFEST_UNKNOWN", "NAME_UNKNOWN");
        (await Client.HeadAsync(ManifestPath("v1"))).Expect(404);
    }

    [Fact(DisplayName = "3.4 A manifest of another repository is 404")]
    public async Task Other_repository()
    {
        var manifest = await Client.PushImageAsync(Repository, "v1");
        var other = RegistryFactory.NewRepository();

        (await Client.GetAsync($"/v2/{other}/manifests/{manifest.Digest}")).Expect(404);
        (await Client.HeadAsync($"/v2/{other}/manifests/v1")).Expect(404);
    }

    [Theory(DisplayName = "3.5 A reference that can be no tag is 404 on GET and HEAD")]
    [InlineData(".v1")]
    [InlineData("-v1")]
    [InlineData("v%2B1")]
    [InlineData("%C3%A4")]
    public async Task Impossible_tag(string tag)
    {
        (await Client.GetAsync(ManifestPath(tag))).ExpectError(404, "MANIFEST_UNKNOWN");
        (await Client.HeadAsync(ManifestPath(tag))).Expect(404);
    }

    [Theory(DisplayName = "3.6 A malformed digest is 400 or 404 with a code of the specification")]
    [InlineData("sha256:xyz")]
    [InlineData("sha256:")]
    [InlineData(":")]
    [InlineData("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709")]
    public async Task Malformed_digest(string digest)
    {
        Assert.NotEmpty((await Client.GetAsync(ManifestPath(digest))).Expect(400, 404).ErrorCodes());
        (await Client.HeadAsync(ManifestPath(digest))).Expect(400, 404);
    }

    [Fact(DisplayName = "3.7 HEAD has the length of the manifest and no body; unknown is 404")]
    public async Task Head()
    {
        var manifest = await Client.PushImageAsync(Repository, "v1");

        foreach (var reference in new[] { "v1", manifest.Digest })
        {
            var head = await RawHttp.SendAsync(Registry.Address, "HEAD", ManifestPath(reference),
                ["Connection: close"]);
            head!.Expect(200).ExpectHeader("Content-Length", $"{manifest.Bytes.Length}")
                .ExpectHeader("Docker-Content-Digest", manifest.Digest);
            Assert.Empty(head.Body);
        }

        (await Client.HeadAsync(ManifestPath("v2"))).Expect(404);
        (await Client.HeadAsync(ManifestPath(UnknownDigest))).Expect(404);
    }

    [Theory(DisplayName = "3.8 Accept is read from several lines as from one with commas")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Accept(bool severalLines)
    {
        await Client.PushImageAsync(Repository, "v1");
        string[] types = [ManifestBuilder.DockerList, ManifestBuilder.DockerImage, ManifestBuilder.OciIndex,
            ManifestBuilder.OciImage];
        string[] lines = severalLines ? [.. types.Select(type => $"Accept: {type}")]
            : [$"Accept: {string.Join(", ", types)}"];

        (await RawHttp.SendAsync(Registry.Address, "GET", ManifestPath("v1"), lines))!.Expect(200)
            .ExpectHeader("Content-Type", ManifestBuilder.OciImage);
    }

    [Theory(DisplayName = "3.8 Without Accept, or with a wildcard, the manifest is delivered as it is")]
    [InlineData(null)]
    [InlineData("Accept: */*")]
    [InlineData("Accept: application/json, */*;q=0.1")]
    [InlineData("Accept: garbage")]
    [InlineData("Accept:")]
    public async Task Accept_anything(string? line)
    {
        var index = await Client.PushManifestAsync(Repository, "v1", ManifestBuilder.Index().Build());

        var answer = await RawHttp.SendAsync(Registry.Address, "GET", ManifestPath("v1"), line is null ? [] : [line]);

        Assert.Equal(index.Bytes, answer!.Expect(200).ExpectHeader("Content-Type", ManifestBuilder.OciIndex).Body);
    }

    [Fact(DisplayName = "3.9 The ETag is the quoted digest, and If-None-Match with it is 304")]
    public async Task Etag()
    {
        var manifest = await Client.PushImageAsync(Repository, "v1");
        var etag = (await Client.GetAsync(ManifestPath("v1")))
            .ExpectHeader("ETag", $"\"{manifest.Digest}\"").Header("ETag")!;

        foreach (var method in new[] { "GET", "HEAD" })
        {
            Assert.Empty((await Client.SendAsync(method, ManifestPath("v1"), null, ("If-None-Match", etag)))
                .Expect(304).Body);
            (await Client.SendAsync(method, ManifestPath("v1"), null, ("If-None-Match", $"\"x\", W/{etag}")))
                .Expect(304);
            (await Client.SendAsync(method, ManifestPath("v1"), null, ("If-None-Match", $"\"{UnknownDigest}\"")))
                .Expect(200);
        }

        await Client.PushImageAsync(Repository, "v1");
        Assert.NotEqual(manifest.Bytes, (await Client.GetAsync(ManifestPath("v1"), ("If-None-Match", etag)))
            .Expect(200).Body);
    }

    [Fact(DisplayName = "3.9 If-None-Match with a digest is 304 for a manifest that is there, and 404 for any other")]
    public async Task Etag_of_a_digest()
    {
        var manifest = await Client.PushImageAsync(Repository, "v1");

        (await Client.GetAsync(ManifestPath(manifest.Digest), ("If-None-Match", $"\"{manifest.Digest}\""))).Expect(304)
            .ExpectHeader("ETag", $"\"{manifest.Digest}\"").ExpectHeader("Docker-Content-Digest", manifest.Digest);
        Assert.Equal(manifest.Bytes,
            (await Client.GetAsync(ManifestPath(manifest.Digest), ("If-None-Match", $"\"{UnknownDigest}\""))).Expect(200).Body);
        (await Client.GetAsync(ManifestPath(UnknownDigest), ("If-None-Match", $"\"{UnknownDigest}\"")))
            .ExpectError(404, "MANIFEST_UNKNOWN");
    }

    [Fact(DisplayName = "3.9 A wildcard in If-None-Match fits any manifest, and no missing one")]
    public async Task Etag_wildcard()
    {
        await Client.PushImageAsync(Repository, "v1");

        (await Client.GetAsync(ManifestPath("v1"), ("If-None-Match", "*"))).Expect(304);
        (await Client.GetAsync(ManifestPath("v2"), ("If-None-Match", "*"))).Expect(404);
    }

    [Fact(DisplayName = "3.1 A manifest is not compressed on its way, whatever the client accepts")]
    public async Task No_encoding()
    {
        var manifest = await Client.PushImageAsync(Repository, "v1");

        var answer = await Client.GetAsync(ManifestPath("v1"), ("Accept-Encoding", "gzip, br, zstd"));

        answer.Expect(200).ExpectHeader("Content-Encoding", null)
            .ExpectHeader("Content-Length", $"{manifest.Bytes.Length}");
        Assert.Equal(Encoding.UTF8.GetString(manifest.Bytes), answer.Text);
    }
}
