using System.Globalization;
using System.Text;
using NSubstitute;
using Registry.Application.Manifests.PutManifest;
using Registry.Domain.Errors;
using static Registry.Application.Tests.Manifests.ManifestSamples;

namespace Registry.Application.Tests.Manifests;

public sealed class BadManifestsTests : IAsyncLifetime
{
    private const string Whole = "";

    private readonly UseCases _registry = new();

    /// <summary>What is wrong, the document, its Content-Type, and the JSON path that an error must name.</summary>
    public static TheoryData<string, string, string?, string> Bad => new()
    {
        { "empty", "", OciManifest, Whole },
        { "blank", " \n", OciManifest, Whole },
        { "not JSON", "schemaVersion: 2", OciManifest, Whole },
        { "cut off", Image()[..^1], OciManifest, Whole },
        { "something behind it", Image() + "{}", OciManifest, Whole },
        { "NUL behind it", Image() + "\0", OciManifest, Whole },
        { "a comment", "/* c */" + Image(), OciManifest, Whole },
        { "a trailing comma", Image()[..^1] + ",}", OciManifest, Whole },
        { "single quotes", Image().Replace('"', '\''), OciManifest, Whole },
        { "an array", $"[{Image()}]", OciManifest, Whole },
        { "null", "null", OciManifest, Whole },
        { "a string", "\"manifest\"", OciManifest, Whole },
        { "a number", "2", OciManifest, Whole },
        { "BOM", "\ufeff" + Image(), OciManifest, Whole },

        { "duplicate member", Image(more: ",\"schemaVersion\":2"), OciManifest, Whole },
        { "duplicate config", Image(more: $",\"config\":{Config}"), OciManifest, Whole },
        { "duplicate by an escape", Image(more: $",\"c\\u006fnfig\":{Config}"), OciManifest, Whole },
        { "duplicate in a descriptor", Image(layers: Descriptor(LayerType, "l", ",\"size\":1")), OciManifest, Whole },
        { "duplicate annotation", Image(more: ",\"annotations\":{\"a\":\"1\",\"a\":\"2\"}"), OciManifest, Whole },
        { "duplicate in an unknown member", Image(more: ",\"x\":[{\"a\":1,\"a\":1}]"), OciManifest, Whole },

        { "lone surrogate in a value", Image(more: ",\"annotations\":{\"a\":\"\\ud800\"}"), OciManifest, Whole },
        { "lone surrogate in a name", Image(more: ",\"annotations\":{\"\\udc00\":\"a\"}"), OciManifest, Whole },
        { "lone surrogate in a member's name", Image(more: ",\"\\ud800x\":1"), OciManifest, Whole },
        { "reversed surrogates", Image(more: ",\"annotations\":{\"a\":\"\\ude00\\ud83d\"}"), OciManifest, Whole },

        { "no type at all", Image().Replace($"\"mediaType\":\"{OciManifest}\",\"config", "\"config", StringComparison.Ordinal), null, Whole },
        { "type differs", Image(), DockerManifest, "mediaType" },
        { "index sent as image", Index(), OciManifest, "mediaType" },
        { "image sent as index", Image(), OciIndex, "mediaType" },
        { "unknown type", Image().Replace(OciManifest, SbomType, StringComparison.Ordinal), SbomType, "mediaType" },
        { "unknown type in the header alone", "{}", "application/json", Whole },
        { "unknown type in the body alone", Image().Replace(OciManifest, SbomType, StringComparison.Ordinal), null, "mediaType" },
        { "type with parameters", Image().Replace(OciManifest, OciManifest + "; a=b", StringComparison.Ordinal), OciManifest, "mediaType" },
        { "type is a number", Image().Replace($"\"{OciManifest}\"", "1", StringComparison.Ordinal), OciManifest, "mediaType" },
        { "schema 1 by header", "{\"schemaVersion\":1}", "application/vnd.docker.distribution.manifest.v1+prettyjws", Whole },
        { "schema 1 by its members", """{"schemaVersion":1,"name":"a","fsLayers":[],"signatures":[]}""", DockerManifest, Whole },
        { "schema 1 inside an image", Image(more: ",\"fsLayers\":[]"), OciManifest, Whole },

        { "no schemaVersion", Image().Replace("\"schemaVersion\":2,", "", StringComparison.Ordinal), OciManifest, "schemaVersion" },
        { "schemaVersion 1", Image().Replace("ersion\":2", "ersion\":1", StringComparison.Ordinal), OciManifest, "schemaVersion" },
        { "schemaVersion as text", Image().Replace("ersion\":2", "ersion\":\"2\"", StringComparison.Ordinal), OciManifest, "schemaVersion" },
        { "schemaVersion 2.0", Image().Replace("ersion\":2", "ersion\":2.0", StringComparison.Ordinal), OciManifest, "schemaVersion" },

        { "index members in an image", Image(more: $",\"manifests\":[{Child}]"), OciManifest, "manifests" },
        { "no manifests, but there", Image(more: ",\"manifests\":[]"), OciManifest, "manifests" },
        { "config in an index", Index(more: $",\"config\":{Config}"), OciIndex, "config" },
        { "layers in an index", Index(more: $",\"layers\":[{Layer}]"), OciIndex, "layers" },
        { "no layers in an index, but there", Index(more: ",\"layers\":[]"), OciIndex, "layers" },

        { "no config", $$"""{"schemaVersion":2,"layers":[]}""", OciManifest, "config" },
        { "config is null", Image(config: "null"), OciManifest, "config" },
        { "config is text", Image(config: "\"c\""), OciManifest, "config" },
        { "config is an array", Image(config: $"[{Config}]"), OciManifest, "config" },
        { "no layers", $$"""{"schemaVersion":2,"config":{{Config}}}""", OciManifest, "layers" },
        { "layers is an object", $$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":{}}""", OciManifest, "layers" },
        { "a layer is null", Image(layers: $"{Layer},null"), OciManifest, "layers[1]" },
        { "a layer is text", Image(layers: $"{Layer},{Layer},\"x\""), OciManifest, "layers[2]" },
        { "no manifests", """{"schemaVersion":2}""", OciIndex, "manifests" },
        { "manifests is null", """{"schemaVersion":2,"manifests":null}""", OciIndex, "manifests" },

        { "empty config without artifact type", Image(Empty), OciManifest, "artifactType" },
        { "empty config, empty artifact type", Image(Empty, more: ",\"artifactType\":\"\""), OciManifest, "artifactType" },
        { "artifact type is no media type", Image(more: ",\"artifactType\":\"sbom\""), OciManifest, "artifactType" },
        { "artifact type with parameters", Image(more: ",\"artifactType\":\"a/b; c=d\""), OciManifest, "artifactType" },
        { "artifact type of a child", Index(Descriptor(OciManifest, "c", ",\"artifactType\":\"x\"")), OciIndex, "manifests[0].artifactType" },

        { "layer without digest", Image(layers: $$"""{"mediaType":"{{LayerType}}","size":1}"""), OciManifest, "layers[0].digest" },
        { "layer without size", Image(layers: Layer.Replace(",\"size\":5", "", StringComparison.Ordinal)), OciManifest, "layers[0].size" },
        { "layer without type", Image(layers: $"{Layer},{{\"digest\":\"{Digest("l")}\",\"size\":1}}"), OciManifest, "layers[1].mediaType" },
        { "empty descriptor", Image(config: "{}"), OciManifest, "config.digest" },
        { "type of a layer", Image(layers: Descriptor("layer", "l")), OciManifest, "layers[0].mediaType" },
        { "type of a layer with parameters", Image(layers: Descriptor("a/b;c=d", "l")), OciManifest, "layers[0].mediaType" },
        { "negative size", Sized("-1"), OciManifest, "layers[0].size" },
        { "size 1.5", Sized("1.5"), OciManifest, "layers[0].size" },
        { "size 1.0", Sized("1.0"), OciManifest, "layers[0].size" },
        { "size 1e3", Sized("1e3"), OciManifest, "layers[0].size" },
        { "size as text", Sized("\"5\""), OciManifest, "layers[0].size" },
        { "size null", Sized("null"), OciManifest, "layers[0].size" },
        { "size beyond 63 bits", Sized("9223372036854775808"), OciManifest, "layers[0].size" },
        { "size with a leading zero", Sized("05"), OciManifest, Whole },
        { "digest in upper case", Image(layers: Layer.Replace(Digest("layer").Hex, Digest("layer").Hex.ToUpperInvariant(), StringComparison.Ordinal)), OciManifest, "layers[0].digest" },
        { "digest too short", Index(Child.Replace(Digest("child").Hex, "abc", StringComparison.Ordinal)), OciIndex, "manifests[0].digest" },
        { "digest of another algorithm", Index(Child.Replace("sha256", "md5", StringComparison.Ordinal)), OciIndex, "manifests[0].digest" },
        { "digest is null", Image(config: """{"mediaType":"a/b","digest":null,"size":1}"""), OciManifest, "config.digest" },
        { "data of other content", Image(layers: Descriptor(LayerType, "abc", ",\"data\":\"eHl6\"")), OciManifest, "layers[0].data" },
        { "data of another length", Image(layers: Descriptor(LayerType, "abc", ",\"data\":\"YWJjZA==\"")), OciManifest, "layers[0].data" },
        { "data that is no Base64", Image(layers: Descriptor(LayerType, "abc", ",\"data\":\"YWJj*\"")), OciManifest, "layers[0].data" },
        { "data that is no text", Image(layers: Descriptor(LayerType, "abc", ",\"data\":[]")), OciManifest, "layers[0].data" },
        { "urls is text", Image(layers: Descriptor(LayerType, "abc", ",\"urls\":\"x\"")), OciManifest, "layers[0].urls" },
        { "a url is a number", Image(layers: Descriptor(LayerType, "abc", ",\"urls\":[\"x\",1]")), OciManifest, "layers[0].urls[1]" },

        { "subject is text", Image(more: $",\"subject\":\"{Digest("s")}\""), OciManifest, "subject" },
        { "subject without size", Image(more: $$""","subject":{"mediaType":"a/b","digest":"{{Digest("s")}}"}"""), OciManifest, "subject.size" },
        { "subject of an index", Index(more: ",\"subject\":{}"), OciIndex, "subject.digest" },
        { "annotations is an array", Image(more: ",\"annotations\":[]"), OciManifest, "annotations" },
        { "an annotation is a number", Image(more: ",\"annotations\":{\"a\":\"b\",\"c.d\":1}"), OciManifest, "annotations['c.d']" },
        { "an annotation is null", Image(more: ",\"annotations\":{\"c\":null}"), OciManifest, "annotations['c']" },
        { "an annotation of a layer", Image(layers: Descriptor(LayerType, "l", ",\"annotations\":{\"a\":{}}")), OciManifest, "layers[0].annotations['a']" },
        { "platform is text", Index(Descriptor(OciManifest, "c", ",\"platform\":\"linux/amd64\"")), OciIndex, "manifests[0].platform" },
        { "architecture is a number", Index(Descriptor(OciManifest, "c", ",\"platform\":{\"architecture\":64}")), OciIndex, "manifests[0].platform.architecture" },
        { "os.features is text", Index(Descriptor(OciManifest, "c", ",\"platform\":{\"os.features\":\"f\"}")), OciIndex, "manifests[0].platform.os.features" },
    };

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_manifest_is_refused_and_the_member_at_fault_is_named(string what, string json, string? contentType, string path)
    {
        Assert.NotEmpty(what);
        await RefusedAsync(Commands.Put(json, contentType), path);
    }

    [Theory]
    [InlineData(new byte[] { 0xff })]
    [InlineData(new byte[] { 0xc0, 0xaf })] // overlong
    [InlineData(new byte[] { 0xed, 0xa0, 0x80 })] // a surrogate
    [InlineData(new byte[] { 0xf4, 0x90, 0x80, 0x80 })] // beyond Unicode
    [InlineData(new byte[] { 0xc3 })] // cut off
    public async Task Bytes_that_are_no_UTF_8_are_refused_wherever_they_stand(byte[] bytes)
    {
        foreach (var where in new[] { "config\"", "unknown\"" })
        {
            var json = Encoding.UTF8.GetBytes(Image(more: ",\"annotations\":{\"a\":\"@\"},\"unknown\":\"@\""));
            var at = Array.IndexOf(json, (byte)'@', where == "config\"" ? 0 : Array.LastIndexOf(json, (byte)'@'));
            await RefusedAsync(Commands.Put([.. json[..at], .. bytes, .. json[(at + 1)..]]), Whole);
        }
    }

    [Fact]
    public async Task UTF_16_is_refused() => await RefusedAsync(Commands.Put(Encoding.Unicode.GetBytes(Image())), Whole);

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{\"a\":", "}")]
    public async Task Depth_is_bounded_wherever_it_stands(string open, string close)
    {
        var bomb = string.Concat(Enumerable.Repeat(open, 100_000)) + "1" + string.Concat(Enumerable.Repeat(close, 100_000));
        await RefusedAsync(Commands.Put(bomb), Whole);
        await RefusedAsync(Commands.Put(Image(more: $",\"x\":{bomb}")), Whole);
        await RefusedAsync(Commands.Put(Image(layers: bomb)), Whole);
    }

    [Fact]
    public async Task Four_mebibytes_of_brackets_are_refused()
        => await RefusedAsync(Commands.Put(new string('[', 4 * 1024 * 1024)), Whole);

    [Fact]
    public async Task An_answer_does_not_grow_with_the_name_at_fault()
    {
        var errors = await _registry.RefusalsAsync(Commands.Put(Image(more: $",\"annotations\":{{\"{new string('a', 1_000_000)}\":1}}")));
        Assert.InRange(Assert.Single(errors).Message.Length, 1, 250);
        Assert.StartsWith("annotations['aaa", errors[0].Detail!["path"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("layers", "{},")]
    [InlineData("annotations", "\"@\":1,")]
    public async Task A_document_that_is_wrong_in_as_many_places_as_it_has_room_for_costs_no_more_than_a_good_one(string member, string part) // S-19
    {
        var parts = new StringBuilder(4 * 1024 * 1024);
        while (parts.Length < 4_000_000)
            parts.Append(part.Replace("@", parts.Length.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        var content = parts.ToString().TrimEnd(',');
        var command = Commands.Put(member == "layers" ? Image(layers: content) : Image(more: $",\"annotations\":{{{content}}}"));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var errors = await _registry.RefusalsAsync(command);

        Assert.InRange(errors.Count, 1, 10);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300_000_000);
    }

    private static string Sized(string size) => Image(layers: Layer.Replace("\"size\":5", $"\"size\":{size}", StringComparison.Ordinal));

    private async Task RefusedAsync(PutManifestCommand command, string path)
    {
        var errors = await _registry.RefusalsAsync(command);
        Assert.All(errors, error => Assert.Equal((OciErrorCode.ManifestInvalid, ErrorReason.Invalid), (error.Code, error.Reason)));
        Assert.Contains(path, errors.Select(error => error.Detail?["path"] ?? Whole));
        await _registry.Manifests.DidNotReceiveWithAnyArgs().PutAsync(default!, default);
    }
}
