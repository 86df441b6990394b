using System.Text;

namespace Registry.Web.Tests.BadInput;

public sealed class BadInputTests(RegistryFactory registry) : IClassFixture<RegistryFactory>
{
    private const string SomeDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000001";

    private readonly string _repository = RegistryFactory.NewRepository();

    public static TheoryData<string> OddPaths =>
    [
        "/v2/../../etc/passwd", "/v2/%2e%2e/%2e%2e/etc/passwd", "/v2/a/%2e%2e/manifests/v1",
        "/v2/..%2F..%2Fetc/manifests/v1",
        "/v2/a%2Fb/manifests/v1%2Fx", "/v2/a%00b/manifests/v1", "/v2/a/manifests/%00", "/v2/a/blobs/sha256:%00",
        "/v2//manifests/v1", "/v2/a//b/manifests/v1", "/v2///////", "/v2/a/manifests//", "/v2/a/blobs//uploads/",
        "/v2/./a/manifests/",
        "/v2/%C0%AE%C0%AE/manifests/v1", "/v2/a/manifests/%C0%AF", "/v2/%E0%80%AF/tags/list", "/v2/%FF%FE/tags/list",
        "/v2/a/manifests/%F0%9F%90%B3",
        "/v2/a/manifests/..%2F..%2Fsecret", "/v2/a/manifests/..%5C..%5Csecret", "/v2/a\\b/tags/list",
        "/v2/a/blobs/..%2f..%2fdata",
        "/v2/a/blobs/sha256:..%2F..%2F..%2F", "/v2/a/blobs/uploads/..%2F..%2Fx", "/v2/a/blobs/uploads/%2e%2e",
        "/v2/a/referrers/..",
        "/v2/%/tags/list", "/v2/%zz/tags/list", "/v2/a/tags/list%", "/v2/%25%32%65/manifests/v1",
        "/v2/a;b/manifests/v1", "/v2/a/manifests/v1;x",
        "/v2/a:b/manifests/v1", "/v2/a/manifests/v1:", "/v2/%0d%0aX-Injected:%20yes/tags/list",
        "/v2/a/manifests/%0d%0aX-Injected:%20yes",
        "/v2/a/manifests/v1%20", "/v2/a/manifests/%09", "/v2/CON/manifests/v1", "/v2/a/manifests/{0}",
        "/v2/{name}/tags/list", "/v2/a/blobs/uploads/%7Bid%7D",
        "*", "v2/a/tags/list", "http:///v2/", "//v2/a/tags/list", "/v2/a/tags/list#x", "/V2/a/tags/list",
    ];

    [Theory]
    [MemberData(nameof(OddPaths))]
    public async Task An_odd_path_is_refused_for_every_method(string path) // S-22
    {
        foreach (var method in new[] { "GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS" })
        {
            var answer = await RawHttp.SendAsync(registry.Address, method, path,
                ["Content-Length: 0", "Connection: close"]);

            if (method == "OPTIONS" && answer is { Status: 200 or 204 })
                continue;
            answer.IsRefused(registry);
            Assert.Null(answer!.Header("X-Injected"));
        }
    }

    [Theory]
    [InlineData("999999999999999999999999999999", 200)]
    [InlineData("-1", 400)]
    [InlineData("-999999999999999999999999999999", 400)]
    [InlineData("1e3", 400)]
    [InlineData("NaN", 400)]
    [InlineData("%D9%A1", 400)]
    [InlineData("1%00", 400)]
    public async Task An_odd_page_size_is_refused_or_read_as_all_in_every_list(string n, int status) // S-18
    {
        await registry.Client.PushImageAsync(_repository, "v1");

        foreach (var path in new[] { $"/v2/{_repository}/tags/list", "/v2/_catalog", "/v2/tags/list",
            $"/v2/{_repository}/referrers/{SomeDigest}" })
        {
            var answer = (await registry.Client.GetAsync($"{path}?n={n}")).Expect(status);
            if (status == 400)
                answer.IsRefused(registry);
        }
    }

    [Theory]
    [InlineData("/v2/{0}/tags/list?n=1&n=2")]
    [InlineData("/v2/{0}/tags/list?last=a&last=b")]
    [InlineData("/v2/{0}/tags/list?n=1&last=%FF")]
    [InlineData("/v2/{0}/tags/list?n=1&last=%00")]
    [InlineData("/v2/_catalog?n=1&last=%00%FF")]
    [InlineData("/v2/_catalog?last=..%2F..%2F")]
    [InlineData("/v2/{0}/manifests/v1?ns=%00")]
    [InlineData("/v2/{0}/manifests/v1?ns=a&ns=b")]
    [InlineData("/v2/{0}/referrers/sha256:0000000000000000000000000000000000000000000000000000000000000001?artifactType=%00")]
    [InlineData("/v2/{0}/referrers/sha256:0000000000000000000000000000000000000000000000000000000000000001?artifactType=a&artifactType=b&last=%00")]
    public async Task An_odd_query_never_fails_the_server(string path)
    {
        await registry.Client.PushImageAsync(_repository, "v1");

        var answer = await registry.Client.GetAsync(path.Replace("{0}", _repository, StringComparison.Ordinal));

        Assert.InRange(answer.GivesNothingAway(registry).Status, 200, 499);
    }

    [Theory]
    [InlineData("?digest=sha256:1&digest=sha256:2")]
    [InlineData("?digest=%00")]
    [InlineData("?digest=..%2F..%2Fetc%2Fpasswd")]
    [InlineData("?digest=sha256:../../../../etc/passwd")]
    [InlineData("?mount=%00&from=%00&digest=x")]
    [InlineData("?digest-algorithm=..%2Fx")]
    public async Task An_odd_upload_is_refused(string query)
        => (await registry.Client.PostAsync($"/v2/{_repository}/blobs/uploads/{query}", [1])).IsRefused(registry);

    [Fact]
    public async Task Headers_of_64_KB_are_refused()
    {
        var answer = await RawHttp.SendAsync(registry.Address, "GET", "/v2/",
            [$"X-Large: {new string('x', 64 * 1024)}"]);

        Assert.Equal(431, answer.IsRefused(registry).Status);
    }

    [Fact]
    public async Task A_request_line_of_32_KB_is_refused()
    {
        var answer = await RawHttp.SendAsync(registry.Address, "GET", $"/v2/{new string('a', 32 * 1024)}/tags/list");

        Assert.Equal(414, answer.IsRefused(registry).Status);
    }

    [Theory]
    [InlineData("GET", 7_000)]
    [InlineData("POST", 7_000)]
    public async Task A_name_or_query_of_7_KB_is_refused_by_the_application(string method, int length)
    {
        (await registry.Client.SendAsync(method, $"/v2/{new string('a', length)}/blobs/uploads/")).IsRefused(registry);
        var answer = await registry.Client.GetAsync($"/v2/{_repository}/manifests/{new string('a', length)}");
        Assert.True(answer.IsRefused(registry).Body.Length < 1000, "An answer must not grow with its request.");
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked", "zz\r\nabc\r\n")]
    [InlineData("Transfer-Encoding: chunked", "5\r\nabc")]
    [InlineData("Transfer-Encoding: chunked", "5\r\nabcdefghi\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "")]
    [InlineData("Transfer-Encoding: gzip", "abc")]
    [InlineData("Transfer-Encoding: gzip, chunked", "0\r\n\r\n")]
    [InlineData("Content-Length: 10", "abc")]
    [InlineData("Content-Length: -1", "abc")]
    [InlineData("Content-Length: abc", "abc")]
    [InlineData("Content-Length: 99999999999999999999", "abc")]
    [InlineData("Content-Length: 3\r\nContent-Length: 4", "abcd")]
    public async Task A_body_that_breaks_off_or_lies_is_refused_or_cut_off(string framing, string body)
    {
        var location = new Uri(registry.Address, await registry.Client.StartUploadAsync(_repository)).PathAndQuery;
        foreach (var (method, target) in new[] { ("PUT", $"/v2/{_repository}/manifests/v1"), ("PATCH", location),
            ("PUT", $"{location}?digest={SomeDigest}"),
            ("POST", $"/v2/{_repository}/blobs/uploads/?digest={SomeDigest}") })
        {
            var answer = await RawHttp.SendAsync(
                registry.Address, method, target, ["Content-Type: application/octet-stream", framing],
                    Encoding.ASCII.GetBytes(body), finish: true);
            if (answer is not null)
                answer.IsRefused(registry);
        }

        (await registry.Client.GetAsync("/v2/")).Expect(200);
    }

    [Fact]
    public async Task A_chunk_size_beyond_all_numbers_is_400()
    {
        var location = new Uri(registry.Address, await registry.Client.StartUploadAsync(_repository)).PathAndQuery;
        foreach (var (method, target) in new[] { ("PUT", $"/v2/{_repository}/manifests/v1"), ("PATCH", location) })
        {
            var answer = await RawHttp.SendAsync(
                registry.Address, method, target, ["Transfer-Encoding: chunked"], "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"u8.ToArray());
            answer.IsRefused(registry).ExpectError(400, "SIZE_INVALID");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_manifest_over_the_limit_is_refused_before_it_is_read(bool announced)
    {
        // Ten times the limit: an answer that waits for the end would come late or never.
        string[] headers = ["Content-Type: " + ManifestBuilder.OciImage, announced
            ? "Content-Length: 4000000000" : "Transfer-Encoding: chunked"];
        byte[] start = announced ? new byte[1000] : [.. "500000\r\n"u8, .. new byte[0x500000]];

        var answer = await RawHttp.SendAsync(registry.Address, "PUT", $"/v2/{_repository}/manifests/v1", headers,
            start);

        if (answer is not null || announced)
            Assert.Equal(413, answer.IsRefused(registry).Status);
    }

    [Fact]
    public async Task A_TLS_hello_on_the_plain_port_is_answered_or_closed_at_once()
    {
        byte[] hello = [0x16, 0x03, 0x01, 0x00, 0x2f, 0x01, 0x00, 0x00, 0x2b, 0x03, 0x03, .. new byte[32], 0x00, 0x00,
            0x04, 0x13, 0x01, 0x13, 0x02, 0x01, 0x00];
        var start = TimeProvider.System.GetTimestamp();

        var answer = await RawHttp.SendAsync(registry.Address, hello, "TLS hello");

        Assert.True(answer is null or { Status: 0 or 400 }, $"{answer}");
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("GET /v2/\r\n\r\n")]
    [InlineData("GET /v2/ HTTP/1.1\r\n\r\n")]
    [InlineData("GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")]
    [InlineData("GET /v2/ HTTP/1.1\r\nHost: a b\r\n\r\n")]
    [InlineData("GET /v2/ HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n")]
    [InlineData("GET  /v2/ HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("\0\0\0\0\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    public async Task What_is_no_HTTP_request_is_refused_or_cut_off(string request)
    {
        var answer = await RawHttp.SendAsync(registry.Address, Encoding.Latin1.GetBytes(request), "raw", finish: true);

        if (answer is { Status: > 0 })
            answer.IsRefused(registry);
    }

    [Fact]
    public async Task A_version_of_HTTP_that_nobody_speaks_is_505()
        => Assert.Equal(505,
            (await RawHttp.SendAsync(registry.Address, "GET /v2/ HTTP/9.9\r\n\r\n"u8.ToArray(), "raw"))!.Status);

    [Theory]
    [InlineData("TRACE")]
    [InlineData("PROPFIND")]
    [InlineData("LINK")]
    [InlineData("X")]
    public async Task An_unknown_method_is_405_everywhere(string method)
    {
        await registry.Client.PushImageAsync(_repository, "v1");
        foreach (var path in new[] { "/v2/", "/v2/_catalog", $"/v2/{_repository}/tags/list",
            $"/v2/{_repository}/manifests/v1", $"/v2/{_repository}/blobs/uploads/" })
            Assert.Equal(405, (await RawHttp.SendAsync(registry.Address, method, path)).IsRefused(registry).Status);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("a\tb")]
    [InlineData("a/b; x=\"unclosed")]
    [InlineData("é")]
    [InlineData(";")]
    [InlineData(",")]
    public async Task A_manifest_of_an_odd_content_type_is_refused(string type)
    {
        var manifest = ManifestBuilder.Index().Without("mediaType").Build();
        var line = $"Content-Type: {Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(type))}";

        (await RawHttp.SendAsync(
            registry.Address, "PUT", $"/v2/{_repository}/manifests/v1",
                [line, $"Content-Length: {manifest.Bytes.Length}"], manifest.Bytes)).IsRefused(registry);
    }

    [Theory]
    [InlineData("Expect: 100-continue")]
    [InlineData("Expect: 200-maybe")]
    [InlineData("Content-Encoding: gzip")]
    [InlineData("Range: bytes=\u00e9")]
    [InlineData("If-None-Match: \"")]
    [InlineData("If-None-Match: ,,,")]
    [InlineData("If-Modified-Since: yesterday")]
    [InlineData("Authorization: Basic")]
    [InlineData("Authorization: Basic !!!!")]
    [InlineData("Authorization: Bearer")]
    [InlineData("Authorization: Basic AAAA")]
    [InlineData("X-Forwarded-For: ' OR 1=1 --")]
    [InlineData("X-Forwarded-Proto: javascript")]
    [InlineData("X-HTTP-Method-Override: DELETE")]
    [InlineData("Cookie: a=b; \u00e9")]
    [InlineData("Accept: \u00e9/\u00e9;q=\u00e9")]
    [InlineData("X-Request-Id: <script>")]
    [InlineData("traceparent: 00-zz")]
    public async Task An_odd_header_never_fails_the_server(string header)
    {
        var manifest = await registry.Client.PushImageAsync(_repository, "v1");
        foreach (var path in new[] { "/v2/", $"/v2/{_repository}/manifests/v1",
            $"/v2/{_repository}/blobs/{SomeDigest}" })
        {
            var answer = await RawHttp.SendAsync(registry.Address, "GET", path, [header]);
            Assert.InRange(answer!.GivesNothingAway(registry).Status, 200, 499);
        }

        (await registry.Client.GetAsync($"/v2/{_repository}/manifests/{manifest.Digest}")).Expect(200);
    }
}
