using System.Text;

namespace Registry.Web.Tests.BadInput;

/// <summary>Requests put together at random, from a seed that a failure names: nothing may fail the server.</summary>
public sealed class FuzzTests(RegistryFactory registry) : IClassFixture<RegistryFactory>
{
    private const int Requests = 3_000;
    private const int Writers = 4;

    private static readonly string[] Methods = ["GET", "GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS",
        "TRACE", "BREW"];

    private static readonly string[] Names =
        ["fuzz", "fuzz/a", "a/b/c", "Fuzz", "a..b", "..", "%2e%2e", "", "a%2Fb", "manifests", "blobs/uploads",
        "_catalog", "a%00", "%FF", "x/../y", "list"];

    private static readonly string[] Digests =
    [
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256%3A44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "sha256:0", "sha512:00", "md5:0", ":", "sha256:",
        "sha256:" + "../../../../../../../../../../../../../../../../../../../../../../", "",
    ];

    private static readonly string[] Tags = ["latest", "v1", ".x", "-x", "%00", "a%20b", "..", "tooooo%2Flong", "_"];

    private static readonly string[] Queries =
    [
        "", "", "?n=1", "?n=0", "?n=-1", "?n=99999999999999999999", "?last=a", "?last=%00&n=1",
        "?digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "?digest=", "?mount=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855&from=fuzz",
        "?mount=x&from=..", "?ns=docker.io", "?artifactType=%00",
        "?tag=a&tag=b", "?tag=.", "?digest-algorithm=sha512", "?digest-algorithm=x", "?%00=%00", "?&&==&", "?q=%25",
    ];

    private static readonly string[] Headers =
    [
        "Range: bytes=0-5", "Range: bytes=-1", "Range: bytes=9-1", "Range: x", "Content-Range: 0-1",
        "Content-Range: 5-1", "Content-Range: bytes 0-1/2", "Content-Range: x",
        "Accept: */*", "Accept: x", "Content-Type: application/vnd.oci.image.index.v1+json",
        "Content-Type: application/vnd.oci.image.manifest.v1+json; charset=utf-8",
        "Content-Type: application/x-www-form-urlencoded", "Content-Type: multipart/form-data", "Content-Type: ;",
        "If-None-Match: *", "If-None-Match: \"x\"", "If-Range: x",
        "Authorization: Basic dTpw", "Authorization: Bearer x", "Origin: http://a", "Expect: 100-continue",
        "X-Forwarded-Host: evil", "Accept-Encoding: gzip",
        "Connection: close", "Upgrade: h2c", "Content-Encoding: gzip", "If-Match: *", "X-Request-Id: \u00e9",
    ];

    private static readonly string[] Bodies =
    [
        "", "{}", "[]", "null", "x", "{\"schemaVersion\":2,\"manifests\":[]}",
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}",
        "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}", "{\"schemaVersion\":2,\"manifests\":[{\"digest\":1}]}",
        "\0\0\0", "a=b&c=d", "{\"schemaVersion\":1e999}", "\"\\ud800\"",
    ];

    [Theory]
    [InlineData(20261128)]
    public async Task Random_credentials_and_scopes_never_fail_the_server_and_let_nobody_in(int seed)
    {
        const string Marks = "aZ09:=+/-_.,; \"'%\\{}()*~\t\u00e9";
        var random = new Random(seed);
        using var http = new HttpClient { BaseAddress = registry.Address };
        for (var i = 0; i < 1500; i++)
        {
            var text = new string(random.GetItems<char>(Marks, random.Next(80)));
            var shown = random.Next(6) switch
            {
                0 => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}",
                1 => $"Basic {Convert.ToBase64String(random.GetItems<byte>([0, 58, 97, 195, 255], random.Next(40)))}",
                2 => $"Basic {text}",
                3 => $"Bearer {text}",
                4 => $"Bearer {Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}.{text}.{text}",
                _ => text,
            };
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/_catalog");
            if (!request.Headers.TryAddWithoutValidation("Authorization", shown) || shown.Trim().Length == 0)
                continue;
            try
            {
                using var answer = await http.SendAsync(request);
                Assert.True((int)answer.StatusCode is 401 or 400 or 429, $"seed {seed}: {(int)answer.StatusCode} of '{shown}'");
            }
            catch (HttpRequestException e) when (e.InnerException is null)
            {
                // The client does not send such a header.
            }

            var scope = Uri.EscapeDataString($"repository:{text}:pull");
            using var token = await http.GetAsync(new Uri($"/token?service=x&scope={scope}&scope={Uri.EscapeDataString(text)}", UriKind.Relative));
            Assert.True((int)token.StatusCode is 200 or 400, $"seed {seed}: {(int)token.StatusCode} of the scope '{text}'");
        }
    }

    [Theory]
    [InlineData(20260720)]
    public async Task Random_requests_never_fail_the_server(int seed)
    {
        await registry.Client.PushImageAsync("fuzz", "v1");
        await registry.Client.PushBlobAsync("fuzz", TestContent.Empty);

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => SendAsync(seed + writer))));

        (await registry.Client.GetAsync("/v2/")).Expect(200);
        await registry.Client.PushImageAsync(RegistryFactory.NewRepository(), "v1");
    }

    private async Task SendAsync(int seed)
    {
        var random = new Random(seed);
        var sessions = new List<string>();
        for (var i = 0; i < Requests / Writers; i++)
        {
            var method = Pick(random, Methods);
            var target = Target(random, sessions);
            var body = Encoding.Latin1.GetBytes(Pick(random, Bodies));
            var headers = Enumerable.Range(0, random.Next(4)).Select(_ => Pick(random, Headers)).Distinct().ToList();
            var chunked = random.Next(4) == 0;
            headers.Add(chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {body.Length}");
            byte[] framed = !chunked ? body : body.Length == 0 ? [.. "0\r\n\r\n"u8]
                : [.. Encoding.ASCII.GetBytes($"{body.Length:x}\r\n"), .. body, .. "\r\n0\r\n\r\n"u8];

            var answer = await RawHttp.SendAsync(registry.Address, method, target, headers, framed);

            Assert.True(answer is { Status: >= 200 and < 500 },
                $"Seed {seed}, request {i}, {string.Join(" | ", headers)}: {answer?.ToString() ?? $"no answer to {method} {target}"}");
            answer!.GivesNothingAway(registry);
            if (answer is { Status: 202 } && answer.Header("Docker-Upload-UUID") is not null)
                sessions.Add(new Uri(registry.Address, answer.Location).AbsolutePath);
        }
    }

    private static string Target(Random random, List<string> sessions)
    {
        var name = Pick(random, Names);
        var path = random.Next(12) switch
        {
            0 => "/v2/",
            1 => "/v2/_catalog",
            2 => "/v2/tags/list",
            3 => "/v1/search",
            4 => $"/v2/{name}/tags/list",
            5 => $"/v2/{name}/manifests/{Pick(random, Tags)}",
            6 => $"/v2/{name}/manifests/{Pick(random, Digests)}",
            7 => $"/v2/{name}/blobs/{Pick(random, Digests)}",
            8 => $"/v2/{name}/blobs/uploads/",
            9 => $"/v2/{name}/referrers/{Pick(random, Digests)}",
            10 when sessions.Count > 0 => sessions[random.Next(sessions.Count)],
            _ => $"/v2/{name}/{Pick(random, Names)}/{Pick(random, Tags)}",
        };
        return path + Pick(random, Queries);
    }

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];
}
