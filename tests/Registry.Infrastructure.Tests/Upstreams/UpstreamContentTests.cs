using Registry.Application.Referrers;
using Registry.Domain.Blobs;
using Registry.Domain.Errors;
using Registry.Domain.Manifests;

namespace Registry.Infrastructure.Tests.Upstreams;

/// <summary>Manifests, blobs and referrers of an upstream that answers.</summary>
public sealed class UpstreamContentTests : UpstreamFixture
{
    private static readonly string Latest = ScriptedUpstream.ManifestPath("team/app", "latest");

    private ScriptedImage _image = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _image = Server.ServeImage("team/app", "latest");
    }

    [Fact]
    public async Task A_manifest_comes_by_tag_and_by_digest()
    {
        foreach (var reference in new[] { "latest", _image.Manifest.Digest })
        {
            var manifest = Value(await Upstream().GetManifestAsync(Repository, Reference.Parse(reference), CancellationToken.None));
            Assert.Equal(_image.Manifest.Bytes, manifest.Content.ToArray());
            Assert.Equal(
                (_image.Manifest.Digest, ManifestBuilder.OciImage, (long)_image.Manifest.Bytes.Length),
                (manifest.Digest.ToString(), manifest.MediaType.Value, manifest.Size));
        }

        var headers = Server.Requests[0].Headers;
        Assert.All(
            [ManifestBuilder.OciImage, ManifestBuilder.OciIndex, ManifestBuilder.DockerImage, ManifestBuilder.DockerList],
            type => Assert.Contains(type, headers["Accept"], StringComparison.Ordinal));
        Assert.Equal("identity", headers["Accept-Encoding"]);
    }

    [Fact]
    public async Task A_manifest_by_sha512_is_checked_by_it()
    {
        var manifest = _image.Manifest.AsSha512();
        Server.Route(ScriptedUpstream.ManifestPath("team/app", manifest.Digest), ScriptedUpstream.Manifest(_image.Manifest));
        Assert.Equal(manifest.Digest, Value(await Upstream().GetManifestAsync(Repository, DigestOf(manifest), CancellationToken.None)).Digest.ToString());
        Assert.Equal(manifest.Digest, Value(await Upstream().FindManifestAsync(Repository, DigestOf(manifest), CancellationToken.None))!.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("sha256:short")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    public async Task Where_the_digest_is_not_told_it_is_null_and_computed(string said)
    {
        Server.Route(Latest, ScriptedUpstream.Manifest(_image.Manifest, said));
        Assert.Null(Value(await FindTagAsync(Upstream())));
        Assert.Equal(_image.Manifest.Digest, Value(await GetTagAsync(Upstream())).Digest.ToString());
    }

    [Fact]
    public async Task A_digest_that_is_told_is_found_and_must_be_true()
    {
        var another = TestContent.Text("another");
        Server.Route(Latest, ScriptedUpstream.Manifest(_image.Manifest, another.Digest));
        Assert.Equal(another.Digest, Value(await FindTagAsync(Upstream()))!.ToString());
        Assert.Equal(ErrorReason.UpstreamFault, Error(await GetTagAsync(Upstream())).Reason);
    }

    [Fact]
    public async Task Another_manifest_than_the_digest_names_is_a_fault()
    {
        var asked = DigestOf(TestContent.Text("another"));
        Server.Route(ScriptedUpstream.ManifestPath("team/app", asked.ToString()), ScriptedUpstream.Manifest(_image.Manifest));
        Assert.Equal(ErrorReason.UpstreamFault, Error(await Upstream().GetManifestAsync(Repository, asked, CancellationToken.None)).Reason);
        Assert.Equal(ErrorReason.UpstreamFault, Error(await Upstream().FindManifestAsync(Repository, asked, CancellationToken.None)).Reason);
    }

    [Theory]
    [InlineData("application/vnd.oci.image.manifest.v1+json; charset=utf-8", "application/vnd.oci.image.manifest.v1+json")]
    [InlineData("", null)]
    [InlineData("json", null)]
    public async Task The_type_is_read_without_its_parameters(string header, string? type)
    {
        Server.Route(Latest, ScriptedUpstream.Json("{}", header));
        var manifest = await GetTagAsync(Upstream());
        Assert.Equal(type ?? "UpstreamFault", manifest.Match(value => value.MediaType.Value, errors => errors[0].Reason.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("not found")]
    public async Task Garbage_is_no_manifest(string content)
    {
        Server.Route(Latest, ScriptedUpstream.Json(content, ManifestBuilder.OciImage));
        Assert.Equal(ErrorReason.UpstreamFault, Error(await GetTagAsync(Upstream())).Reason);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task A_manifest_has_a_largest_size(int more, bool taken)
    {
        var manifest = _image.Manifest;
        foreach (var answer in new[] { ScriptedUpstream.Manifest(manifest), ScriptedUpstream.Unmeasured(manifest) })
        {
            Server.Route(Latest, answer);
            var result = await GetTagAsync(Upstream(maxManifestBytes: manifest.Bytes.Length - more));
            Assert.Equal(taken, result.TryGet(out _, out var errors));
            Assert.All(errors, error => Assert.Equal(ErrorReason.UpstreamFault, error.Reason));
        }
    }

    [Fact]
    public async Task A_blob_comes_whole_and_says_how_long_it_is()
    {
        Assert.Equal(_image.Layer.Bytes.Length, Value(await Upstream().FindBlobAsync(Repository, DigestOf(_image.Layer), CancellationToken.None)));
        using var blob = Value(await OpenAsync(Upstream(), _image.Layer));
        Assert.Equal(_image.Layer.Bytes.Length, blob.Size);
        Assert.Equal(_image.Layer.Bytes, await ReadAsync(blob));
        Assert.DoesNotContain("Range", Server.Requests[^1].Headers.Keys);
    }

    [Fact]
    public async Task An_empty_blob_is_one()
    {
        Server.ServeBlob("team/app", TestContent.Empty);
        using var blob = Value(await OpenAsync(Upstream(), TestContent.Empty));
        Assert.Equal(0, blob.Size);
        Assert.Empty(await ReadAsync(blob));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // all of it is sent, and the beginning dropped
    public async Task A_blob_goes_on_where_it_was_left(bool ranges)
    {
        Server.Route(ScriptedUpstream.BlobPath("team/app", _image.Layer), ScriptedUpstream.Blob(_image.Layer, ranges));
        foreach (var offset in new[] { 1, 70_000, _image.Layer.Bytes.Length - 1 })
        {
            using var blob = Value(await OpenAsync(Upstream(), _image.Layer, offset));
            Assert.Equal(_image.Layer.Bytes.Length, blob.Size);
            Assert.Equal(_image.Layer.Bytes[offset..], await ReadAsync(blob));
            Assert.Equal($"bytes={offset}-", Server.Requests[^1].Headers["Range"]);
        }
    }

    [Theory]
    [InlineData(206, "bytes 11-19/20", 9)]
    [InlineData(206, "bytes 10-18/20", 9)]
    [InlineData(206, "bytes 10-19/*", 10)]
    [InlineData(206, "bytes 10-19/20", 9)]
    [InlineData(206, "items 10-19/20", 10)]
    [InlineData(206, null, 10)]
    [InlineData(200, null, 9)] // shorter than what is there already
    public async Task Another_part_than_was_asked_for_is_a_fault(int status, string? range, int length)
    {
        Server.Route(ScriptedUpstream.BlobPath("team/app", _image.Layer), context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.ContentRange = range;
            return ScriptedUpstream.Json(new string('x', length))(context);
        });
        Assert.Equal(ErrorReason.UpstreamFault, Error(await OpenAsync(Upstream(), _image.Layer, offset: 10)).Reason);
    }

    [Fact]
    public async Task A_part_that_was_not_asked_for_is_a_fault()
    {
        Server.Route(ScriptedUpstream.BlobPath("team/app", _image.Layer), ScriptedUpstream.Status(206, "Content-Range", "bytes 0-9/10"));
        Assert.Equal(ErrorReason.UpstreamFault, Error(await OpenAsync(Upstream(), _image.Layer)).Reason);
    }

    [Theory]
    [InlineData(9)]
    [InlineData(11)]
    public async Task A_part_of_another_length_than_its_range_fails_while_it_is_read(int length)
    {
        Server.Route(ScriptedUpstream.BlobPath("team/app", _image.Layer), async context =>
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = "bytes 10-19/20";
            await ScriptedUpstream.Unmeasured(TestContent.Random(length))(context);
        });
        using var blob = Value(await OpenAsync(Upstream(), _image.Layer, offset: 10));
        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(blob));
    }

    [Fact]
    public async Task A_blob_holds_its_place_until_it_is_disposed()
    {
        var upstream = Upstream(settings => (settings.MaxConnections, settings.Timeout) = (1, TimeSpan.FromSeconds(2)));
        var blob = Value(await OpenAsync(upstream, _image.Layer));
        var refused = Error(await FindTagAsync(upstream));
        Assert.Equal(ErrorReason.Unavailable, refused.Reason);
        Assert.Contains("MaxConnections", refused.Message, StringComparison.Ordinal);
        Assert.Single(Server.Requests);
        blob.Dispose();
        blob.Dispose();
        Value(await FindTagAsync(upstream));
        using (Value(await OpenAsync(upstream, _image.Layer)))
            Assert.Equal(ErrorReason.Unavailable, Error(await FindTagAsync(upstream)).Reason); // twice disposed is one place
    }

    [Fact]
    public async Task No_more_requests_than_allowed_are_sent_at_once()
    {
        var (now, most) = (0, 0);
        Server.Gate = async _ =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref now));
            await Task.Delay(20);
            Interlocked.Decrement(ref now);
            return false;
        };
        var upstream = Upstream(settings => settings.MaxConnections = 3);
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => FindTagAsync(upstream)));
        Assert.InRange(most, 2, 3);
        Assert.Equal(30, Server.Requests.Count);

        static void InterlockedMax(ref int most, int value)
        {
            for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
                Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    [Fact]
    public async Task Referrers_come_page_by_page()
    {
        var subject = _image.Manifest;
        var (first, second) = (Descriptor("1", "application/sbom"), Descriptor("2", null));
        Server.Route(ScriptedUpstream.ReferrersPath("team/app", subject), context =>
        {
            if (context.Request.Query.ContainsKey("last"))
                return ScriptedUpstream.Json(List(second, first))(context);
            context.Response.Headers.Link = $"</v2/team/app/referrers/{subject.Digest}?last=1,2;3>; rel=\"next\"";
            return ScriptedUpstream.Json(List(first))(context);
        });
        var listed = await ListAsync();
        Assert.Equal([new Referrer(ManifestBuilder.OciImage, DigestOf(TestContent.Text("1")), 1, "application/sbom", """{"a":"b"}""")], listed.Take(1));
        Assert.Equal([(TestContent.Text("1").Digest, "application/sbom"), (TestContent.Text("2").Digest, null)], listed.Select(referrer => (referrer.Digest.ToString(), referrer.ArtifactType)));
        Assert.Equal("?last=1,2;3", Server.Requests[^1].Query);
    }

    [Fact]
    public async Task What_is_no_descriptor_is_passed_over()
    {
        var good = Descriptor("1", null);
        string[] bad =
        [
            "5", "null", "[]", "{}", good.Replace("sha256:", "sha256:z", StringComparison.Ordinal), good.Replace("\"size\":1", "\"size\":-1", StringComparison.Ordinal),
            good.Replace("\"size\":1", "\"size\":1.5", StringComparison.Ordinal), good.Replace("\"size\":1", "\"size\":\"1\"", StringComparison.Ordinal),
            good.Replace(ManifestBuilder.OciImage, "json", StringComparison.Ordinal), good.Replace("{\"a\":\"b\"}", "{\"a\":1}", StringComparison.Ordinal),
            Descriptor("3", "a b"), good.Replace("\"size\"", "\"artifactType\":5,\"size\"", StringComparison.Ordinal),
        ];
        Server.Route(ScriptedUpstream.ReferrersPath("team/app", _image.Manifest), ScriptedUpstream.Json(List([.. bad, good, .. bad])));
        Assert.Equal(TestContent.Text("1").Digest, Assert.Single(await ListAsync()).Digest.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"manifests":{}}""")]
    [InlineData("""{"manifests":[],"manifests":[]}""")]
    [InlineData("""{"manifests":[{"mediaType":"\ud800"}]}""")]
    public async Task What_is_no_list_is_a_fault(string content)
    {
        Server.Route(ScriptedUpstream.ReferrersPath("team/app", _image.Manifest), ScriptedUpstream.Json(content));
        Assert.Equal(ErrorReason.UpstreamFault, Error(await ResultAsync()).Reason);
    }

    [Fact]
    public async Task A_list_without_end_is_a_fault()
    {
        var path = ScriptedUpstream.ReferrersPath("team/app", _image.Manifest);
        Server.Route(path, context =>
        {
            context.Response.Headers.Link = $"<{path}>; rel=next";
            return ScriptedUpstream.Json("""{"manifests":[]}""")(context);
        });
        Assert.Equal(ErrorReason.UpstreamFault, Error(await ResultAsync()).Reason);
        Assert.Equal(100, Server.Count(path));
    }

    [Theory]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task Without_the_api_a_tag_lists_them(string algorithm)
    {
        var subject = algorithm == "sha512" ? _image.Manifest.AsSha512() : _image.Manifest;
        var tag = $"{algorithm}-{subject.Digest.Split(':')[1][..64]}";
        Assert.Empty(Value(await Upstream().ListReferrersAsync(Repository, DigestOf(subject), CancellationToken.None)));
        Assert.Equal(1, Server.Count(ScriptedUpstream.ManifestPath("team/app", tag)));

        Server.ServeManifest("team/app", TestContent.Text(List(Descriptor("1", null)), ManifestBuilder.OciIndex), tag);
        Assert.Single(Value(await Upstream().ListReferrersAsync(Repository, DigestOf(subject), CancellationToken.None)));

        Server.ServeManifest("team/app", _image.Manifest, tag);
        Assert.Equal(ErrorReason.UpstreamFault, Error(await Upstream().ListReferrersAsync(Repository, DigestOf(subject), CancellationToken.None)).Reason);

        Server.Route(ScriptedUpstream.ManifestPath("team/app", tag), ScriptedUpstream.Status(503));
        Assert.Equal(ErrorReason.Unavailable, Error(await Upstream().ListReferrersAsync(Repository, DigestOf(subject), CancellationToken.None)).Reason);
    }

    [Fact]
    public async Task An_upstream_below_a_path_is_asked_there()
    {
        Server.Route("/mirror" + Latest, ScriptedUpstream.Manifest(_image.Manifest));
        Value(await GetTagAsync(Upstream(settings => settings.Upstream = Server.Url + "/mirror/")));
    }

    private async Task<IReadOnlyList<Referrer>> ListAsync() => Value(await ResultAsync());

    private Task<Result<IReadOnlyList<Referrer>>> ResultAsync()
        => Upstream().ListReferrersAsync(Repository, Digest.Parse(_image.Manifest.Digest), CancellationToken.None);

    private static string List(params string[] descriptors)
        => $$"""{"schemaVersion":2,"mediaType":"{{ManifestBuilder.OciIndex}}","manifests":[{{string.Join(',', descriptors)}}]}""";

    private static string Descriptor(string content, string? artifactType)
        => $$"""{"mediaType":"{{ManifestBuilder.OciImage}}","digest":"{{TestContent.Text(content).Digest}}","size":1,"annotations":{"a":"b"}"""
            + (artifactType is null ? "}" : $",\"artifactType\":\"{artifactType}\"}}");
}
