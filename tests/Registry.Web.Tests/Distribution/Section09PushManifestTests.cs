using System.Text;
using System.Text.Json.Nodes;

namespace Registry.Web.Tests.Distribution;

public sealed class Section09PushManifestTests(RegistryFactory registry) : DistributionTests(registry)
{
    [Fact(DisplayName = "9.1 White space, field order, unknown fields and data survive byte for byte")]
    public async Task Exact_bytes()
    {
        var (config, layer) =
            (await Client.PushBlobAsync(Repository, TestContent.Config()),
            await Client.PushBlobAsync(Repository, TestContent.Text("data")));
        var text = $$"""
              {  "layers" : [ { "size":4, "data": "{{Convert.ToBase64String(layer.Bytes)}}", "digest": "{{layer.Digest}}",
                "mediaType":"{{layer.MediaType}}", "x-unknown": [1.50, 1e3, null, "\u00e4\/ä"] } ],
              "x-unknown": { "z": 1, "a": 2 },  "config": {{config.Descriptor().ToJsonString()}},
            	"schemaVersion":2, "mediaType": "{{ManifestBuilder.OciImage}}" }


            """;
        var manifest = TestContent.Text(text, ManifestBuilder.OciImage);
        await Client.PushManifestAsync(Repository, "v1", manifest);

        Assert.Equal(manifest.Bytes, (await Client.GetAsync(ManifestPath("v1"))).Expect(200)
            .ExpectHeader("Docker-Content-Digest", manifest.Digest).Body);
    }

    [Theory(DisplayName = "9.2 Success is 201 with the Location of the same bytes, type and length")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Location(bool byTag)
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build();

        var put = (await Client.PutManifestAsync(Repository, byTag ? "v1" : manifest.Digest, manifest)).Expect(201);

        var get = (await Client.GetAsync(put.Location)).Expect(200)
            .ExpectHeader("Content-Type", manifest.MediaType)
            .ExpectHeader("Content-Length", $"{manifest.Bytes.Length}");
        Assert.Equal(manifest.Bytes, get.Body);
        Assert.StartsWith(ManifestPath(""), PathOf(put.Location), StringComparison.Ordinal);
    }

    [Fact(DisplayName = "9.3 Docker-Content-Digest of the 201 is the client's digest, by tag the stored one")]
    public async Task Digest_header()
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build();

        (await Client.PutManifestAsync(Repository, manifest.Sha256, manifest)).Expect(201)
            .ExpectHeader("Docker-Content-Digest", manifest.Sha256);
        (await Client.PutManifestAsync(Repository, manifest.Sha512, manifest)).Expect(201)
            .ExpectHeader("Docker-Content-Digest", manifest.Sha512);
        var byTag = (await Client.PutManifestAsync(Repository, "v1", manifest))
            .Expect(201).Header("Docker-Content-Digest");
        (await Client.HeadAsync(ManifestPath("v1"))).ExpectHeader("Docker-Content-Digest", byTag);
    }

    [Fact(DisplayName = "9.4 By digest with other content is 400, and nothing is stored")]
    public async Task Mismatch()
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build();

        (await Client.PutManifestAsync(Repository, UnknownDigest, manifest)).ExpectError(400, "DIGEST_INVALID");

        (await Client.GetAsync(ManifestPath(UnknownDigest))).Expect(404);
        (await Client.GetAsync(ManifestPath(manifest.Digest))).Expect(404);
    }

    [Theory(DisplayName = "9.4 A malformed digest is 400")]
    [InlineData("sha256:xyz")]
    [InlineData("sha256:")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    public async Task Malformed_digest(string digest)
        => (await Client.PutManifestAsync(Repository, digest, ManifestBuilder.Index().Build()))
            .ExpectError(400, "DIGEST_INVALID");

    [Theory(DisplayName = "9.5 An illegal tag is refused, and nothing is stored")]
    [InlineData(".tag")]
    [InlineData("-tag")]
    [InlineData("t%20g")]
    [InlineData("t%2Fg")]
    public async Task Illegal_tag(string tag)
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build();

        var answer = (await Client.PutManifestAsync(Repository, tag, manifest)).Expect(400, 404);

        Assert.NotEmpty(answer.ErrorCodes());
        (await Client.GetAsync(ManifestPath(manifest.Digest))).Expect(404);
    }

    [Theory(DisplayName = "9.6 Parameters of Content-Type are ignored, the type is stored without them")]
    [InlineData("; charset=utf-8")]
    [InlineData(";charset=\"utf-8\"; x=y")]
    [InlineData(" ")]
    public async Task Parameters(string suffix)
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build();

        (await Client.PutAsync(ManifestPath("v1"), manifest.Bytes, ("Content-Type", manifest.MediaType + suffix)))
            .Expect(201);

        (await Client.GetAsync(ManifestPath("v1"))).ExpectHeader("Content-Type", manifest.MediaType);
    }

    [Fact(DisplayName = "9.7 Without mediaType in the body the Content-Type counts")]
    public async Task No_media_type()
    {
        var manifest = (await Client.NewImageAsync(Repository)).Without("mediaType").Build();
        await Client.PushManifestAsync(Repository, "v1", manifest);

        (await Client.GetAsync(ManifestPath("v1"))).Expect(200).ExpectHeader("Content-Type", ManifestBuilder.OciImage);
    }

    [Fact(DisplayName = "9.7 A mediaType that differs from the Content-Type is 400")]
    public async Task Different_media_type() // S-20
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build();

        (await Client.PutAsync(ManifestPath("v1"), manifest.Bytes, ("Content-Type", ManifestBuilder.DockerImage)))
            .ExpectError(400, "MANIFEST_INVALID");
        (await Client.PutAsync(ManifestPath("v1"), manifest.Bytes, ("Content-Type", ManifestBuilder.OciIndex)))
            .ExpectError(400, "MANIFEST_INVALID");
        (await Client.PutAsync(ManifestPath("v1"), manifest.Bytes, ("Content-Type", "text/plain")))
            .ExpectError(400, "MANIFEST_INVALID");
        (await Client.GetAsync(ManifestPath("v1"))).Expect(404);
    }

    [Fact(DisplayName = "9.7 Without a Content-Type the mediaType counts")]
    public async Task No_content_type()
    {
        var manifest = (await Client.NewImageAsync(Repository)).Build();

        (await Client.PutAsync(ManifestPath("v1"), manifest.Bytes)).Expect(201);

        (await Client.GetAsync(ManifestPath("v1"))).ExpectHeader("Content-Type", ManifestBuilder.OciImage);
    }

    [Theory(DisplayName = "9.8 What is not JSON, or no known shape, is 400 with MANIFEST_INVALID")]
    [MemberData(nameof(NoManifests))]
    public async Task No_manifest(string text) // S-20: also a member twice, and an image that is an index
    {
        var content = TestContent.Text(text, ManifestBuilder.OciImage);

        (await Client.PutManifestAsync(Repository, "v1", content)).ExpectError(400, "MANIFEST_INVALID");
        (await Client.PutManifestAsync(Repository, content.Digest, content)).ExpectError(400, "MANIFEST_INVALID");
        (await Client.GetAsync(ManifestPath("v1"))).Expect(404);
    }

    public static TheoryData<string> NoManifests =>
    [
        "", " ", "nonsense", "{", "[]", "null", "1", "\"text\"", "{}", "{\"schemaVersion\":2}", "{\"schemaVersion\":1}",
        """{"schemaVersion":2,"config":null,"layers":null}""", """{"schemaVersion":2,"config":[],"layers":{}}""",
        """{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:x","size":1},"layers":[]}""",
        """{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"../../etc/passwd","size":1},"layers":[]}""",
        """{"schemaVersion":2,"config":{"mediaType":"a/b","size":1},"layers":[]}""",
        """{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[],"signatures":[]}""",
        """{"schemaVersion":2,"schemaVersion":2,"manifests":[]}""", """{"schemaVersion":2,"manifests":[],"layers":[]}""",
        new string('[', 100_000), "{\"a\":" + new string('[', 500) + new string(']', 500) + "}",
        """{"schemaVersion":2,"x":"\ud800","config":{"mediaType":"\ud800/b"}}""",
    ];

    [Fact(DisplayName = "9.9 Missing blobs are refused with MANIFEST_BLOB_UNKNOWN, one error each")]
    public async Task Missing_blobs()
    {
        var manifest = ManifestBuilder.Image(TestContent.Config(), TestContent.Layer(), TestContent.Layer()).Build();

        var answer = (await Client.PutManifestAsync(Repository, "v1", manifest)).Expect(400, 404);

        Assert.Equal(["MANIFEST_BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN"], answer.ErrorCodes());
        (await Client.GetAsync(ManifestPath("v1"))).Expect(404);
        (await Client.GetAsync(ManifestPath(manifest.Digest))).Expect(404);
    }

    [Fact(DisplayName = "9.9 A child that an index names and the repository lacks is refused")]
    public async Task Missing_child()
    {
        var child = await Client.PushImageAsync(RegistryFactory.NewRepository(), "v1");

        (await Client.PutManifestAsync(Repository, "v1", ManifestBuilder.Index(child).Build()))
            .ExpectError(400, "MANIFEST_BLOB_UNKNOWN");
    }

    [Fact(DisplayName = "9.10 A missing subject must be accepted")]
    public async Task Missing_subject()
    {
        var subject = ManifestBuilder.Index().Annotation("never", "pushed").Build();

        await Client.PushManifestAsync(Repository, "image",
            (await Client.NewImageAsync(Repository)).Subject(subject).Build());
        await Client.PushManifestAsync(Repository, "index", ManifestBuilder.Index().Subject(subject).Build());
    }

    [Theory(DisplayName = "9.10 A missing non-distributable layer must be accepted")]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar")]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd")]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")]
    public async Task Foreign_layer(string mediaType)
    {
        var layer = TestContent.Random(10, mediaType).Descriptor();
        layer["urls"] = new JsonArray("https://example.com/layer");
        var manifest = (await Client.NewImageAsync(Repository)).With("layers", new JsonArray(layer)).Build();

        await Client.PushManifestAsync(Repository, "v1", manifest);
    }

    [Fact(DisplayName = "9.14 When a tag moves, the old manifest stays reachable by digest")]
    public async Task Tag_moves()
    {
        var old = await Client.PushImageAsync(Repository, "v1");
        var current = await Client.PushImageAsync(Repository, "v1");

        Assert.Equal(current.Bytes, (await Client.GetAsync(ManifestPath("v1"))).Body);
        Assert.Equal(old.Bytes, (await Client.GetAsync(ManifestPath(old.Digest))).Expect(200).Body);
        (await Client.HeadAsync(ManifestPath("v1"))).ExpectHeader("Docker-Content-Digest", current.Digest);
    }

    [Theory(DisplayName = "9.17 A manifest with a subject answers OCI-Subject, by tag and by digest, whether the subject exists or not")]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Oci_subject(bool byTag, bool subjectExists)
    {
        var subject = (await Client.NewImageAsync(Repository)).Build();
        if (subjectExists)
            await Client.PushManifestAsync(Repository, "subject", subject);
        var referrer = (await Client.NewArtifactAsync(Repository, "application/x")).Subject(subject).Build();
        var index = ManifestBuilder.Index().Subject(subject).Build();

        (await Client.PutManifestAsync(Repository, byTag ? "r" : referrer.Digest, referrer)).Expect(201)
            .ExpectHeader("OCI-Subject", subject.Digest);
        (await Client.PutManifestAsync(Repository, byTag ? "i" : index.Digest, index)).Expect(201)
            .ExpectHeader("OCI-Subject", subject.Digest);
    }

    [Fact(DisplayName = "9.17 Without a subject there is no OCI-Subject")]
    public async Task No_subject()
        => (await Client.PutManifestAsync(Repository, "v1", (await Client.NewImageAsync(Repository)).Build()))
            .Expect(201).ExpectHeader("OCI-Subject", null);

    [Fact(DisplayName = "9.1 A manifest outside ASCII keeps its bytes, one that is not UTF-8 is refused")]
    public async Task Encodings()
    {
        var image = (await Client.NewImageAsync(Repository)).Annotation("title", "PLACE");
        var text = Encoding.UTF8.GetString(image.Build().Bytes);
        var utf8 = TestContent.Text(text.Replace("PLACE", "Größe 🐳", StringComparison.Ordinal),
            ManifestBuilder.OciImage);
        var latin1 = utf8 with { Bytes = Encoding.Latin1.GetBytes(text.Replace("PLACE", "Größe",
            StringComparison.Ordinal)) };

        await Client.PushManifestAsync(Repository, "v1", utf8);
        Assert.Equal(utf8.Bytes, (await Client.GetAsync(ManifestPath("v1"))).Body);
        (await Client.PutManifestAsync(Repository, "v2", latin1)).ExpectError(400, "MANIFEST_INVALID");
    }
}
