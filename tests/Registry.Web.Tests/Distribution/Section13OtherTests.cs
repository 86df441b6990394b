using System.Globalization;

namespace Registry.Web.Tests.Distribution;

public sealed class Section13OtherTests(RegistryFactory registry) : DistributionTests(registry)
{
    [Fact(DisplayName = "13.1 The fallback tag of the referrers scheme is an ordinary tag")]
    public async Task Fallback_tag()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        foreach (var tag in new[] { subject.Sha256.Replace(':', '-'), subject.Sha512.Replace(':', '-')[..71],
            $"{subject.Sha256.Replace(':', '-')}.sig" })
        {
            await Client.PushManifestAsync(Repository, tag, ManifestBuilder.Index().Build());
            (await Client.GetAsync(ManifestPath(tag))).Expect(200);
            (await Client.DeleteAsync(ManifestPath(tag))).Expect(202);
            (await Client.GetAsync(ManifestPath(tag))).Expect(404);
        }
    }

    [Fact(DisplayName = "13.2 An error body is the envelope of the specification, as JSON, with a code of its list")]
    public async Task Envelope()
    {
        var answer = (await Client.GetAsync(ManifestPath("v1"))).Expect(404);

        Assert.StartsWith("application/json", answer.Header("Content-Type"), StringComparison.Ordinal);
        var error = Assert.Single(answer.Json.GetProperty("errors").EnumerateArray());
        Assert.Matches("^[A-Z_]+$", error.GetProperty("code").GetString());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    [Theory(DisplayName = "13.2 A path that is no endpoint is 404 in the envelope")]
    [InlineData("GET", "/v2/a/nothing")]
    [InlineData("GET", "/v2/a/manifests")]
    [InlineData("GET", "/v2/a/manifests/")]
    [InlineData("GET", "/v2/a/blobs/")]
    [InlineData("GET", "/v2/manifests/v1")]
    [InlineData("GET", "/v2/a/tags")]
    [InlineData("POST", "/v2/blobs/uploads/")]
    [InlineData("PUT", "/v2/x")]
    [InlineData("GET", "/v2/a/_ext/x")]
    [InlineData("GET", "/v2/_unknown/x")]
    public async Task No_endpoint(string method, string path)
        => Assert.NotEmpty((await Client.SendAsync(method, path)).Expect(404).ErrorCodes());

    [Theory(DisplayName = "13.2 Paths are case-sensitive")]
    [InlineData("GET", "/v2/a/Tags/list")]
    [InlineData("GET", "/v2/a/tags/List")]
    [InlineData("GET", "/V2/a/tags/list")]
    [InlineData("PUT", "/v2/a/Manifests/v1")]
    [InlineData("POST", "/v2/a/blobs/Uploads/")]
    [InlineData("GET", "/v2/a/Referrers/sha256:0000000000000000000000000000000000000000000000000000000000000001")]
    public async Task Other_case(string method, string path)
        => (await Client.SendAsync(method, path)).ExpectError(404, "UNSUPPORTED").IsRefused(Registry);

    [Theory(DisplayName = "13.3 Too many requests of one address are 429 with TOOMANYREQUESTS and a Retry-After that is true")]
    [InlineData("GET", "/v2/")]
    [InlineData("PUT", "/v2/app/manifests/v1")]
    [InlineData("POST", "/v2/app/blobs/uploads/")]
    public async Task Too_many_requests(string method, string path)
    {
        await using var slow = await RegistryFactory.StartAsync(
            ("Limits:RequestsPerSecond", "1"), ("Limits:Burst", "3"), ("Access:Anonymous", "Push"));
        await UntilRefusedAsync(slow, "/v2/");

        var refused = (await slow.Client.SendAsync(method, path)).ExpectError(429, "TOOMANYREQUESTS");
        (await slow.Client.GetAsync("/healthz/live")).Expect(200);
        (await slow.Client.GetAsync("/metrics")).Expect(200);

        var wait = int.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture);
        Assert.InRange(wait, 1, 10);
        await Task.Delay(TimeSpan.FromSeconds(wait + 0.5));
        (await slow.Client.GetAsync("/v2/")).Expect(200);
    }

    [Fact(DisplayName = "13.3 The admin API says the same as a problem")]
    public async Task Too_many_requests_of_the_admin_api()
    {
        await using var slow = await RegistryFactory.StartAsync(("Limits:RequestsPerSecond", "1"), ("Limits:Burst", "1"));

        var refused = await UntilRefusedAsync(slow, "/api/v1/repositories");

        Assert.Equal("application/problem+json", refused.Header("Content-Type")?.Split(';')[0]);
        Assert.NotNull(refused.Header("Retry-After"));
    }

    [Fact(DisplayName = "13.4 A warning has the code 299, a dash and a quoted text: here that the subject is not there")]
    public async Task Warning()
    {
        var subject = TestContent.Random(100);
        var referrer = ManifestBuilder.Index().Subject(subject).Build();

        var early = (await Client.PutManifestAsync(Repository, referrer.Digest, referrer)).Expect(201);

        Assert.Equal(
            $"299 - \"The subject {subject.Digest} is not in this repository.\"", early.Header("Warning"));
    }

    [Fact(DisplayName = "13.4 Where nothing is wrong there is no warning")]
    public async Task No_warning()
    {
        var subject = await Client.PushImageAsync(Repository, "v1");
        var referrer = ManifestBuilder.Index().Subject(subject).Build();

        (await Client.PutManifestAsync(Repository, referrer.Digest, referrer)).Expect(201).ExpectHeader("Warning", null);
    }

    [Theory(DisplayName = "13.5 A method that an address does not know is 405 with Allow, in the envelope")]
    [InlineData("POST", "manifests/v1", "GET")]
    [InlineData("PATCH", "manifests/v1", "PUT")]
    [InlineData("PUT", "blobs/sha256:0000000000000000000000000000000000000000000000000000000000000001", "GET")]
    [InlineData("DELETE", "tags/list", "GET")]
    [InlineData("PUT", "blobs/uploads/", "POST")]
    [InlineData("BREW", "tags/list", "GET")]
    [InlineData("POST", "referrers/sha256:0000000000000000000000000000000000000000000000000000000000000001", "GET")]
    public async Task Method_not_allowed(string method, string path, string allowed)
    {
        var answer = (await Client.SendAsync(method, $"/v2/{Repository}/{path}")).ExpectError(405, "UNSUPPORTED");

        Assert.Contains(allowed, answer.Header("Allow")!.Split(',', StringSplitOptions.TrimEntries));
    }

    [Fact(DisplayName = "13.5 HEAD is as GET, without a body, at every address that has GET")]
    public async Task Head()
    {
        var manifest = await Client.PushImageAsync(Repository, "v1");
        var blob = await Client.PushBlobAsync(Repository, TestContent.Random(10));
        string[] paths =
        [
            "/v2/", "/v2/_catalog", $"/v2/{Repository}/tags/list", ManifestPath("v1"), BlobPath(blob.Digest),
            ManifestPath("none"),
            $"/v2/{Repository}/referrers/{manifest.Digest}", $"/v2/{Repository}/blobs/{UnknownDigest}", "/v2/nothing",
        ];

        foreach (var path in paths)
        {
            var get = await Client.GetAsync(path);
            var head = await RawHttp.SendAsync(Registry.Address, "HEAD", path, ["Connection: close"]);
            head!.Expect(get.Status).ExpectHeader("Content-Type", get.Header("Content-Type"));
            Assert.Empty(head.Body);
        }
    }

    [Fact(DisplayName = "13.5 Empty answers say Content-Length 0, except 204")]
    public async Task Content_length()
    {
        var post = (await Client.PostAsync($"/v2/{Repository}/blobs/uploads/")).Expect(202)
            .ExpectHeader("Content-Length", "0");
        (await Client.PatchAsync(post.Location, [1])).Expect(202).ExpectHeader("Content-Length", "0");
        (await Client.GetAsync(post.Location)).Expect(204).ExpectHeader("Transfer-Encoding", null);
    }

    [Fact(DisplayName = "13.6 An ns that names no upstream is 404, never another registry's content")]
    public async Task Namespace()
    {
        await Client.PushImageAsync(Repository, "v1");

        (await Client.GetAsync($"{ManifestPath("v1")}?ns=unknown.example")).Expect(404);
        (await Client.HeadAsync($"{ManifestPath("v1")}?ns=unknown.example")).Expect(404);
    }

    [Fact(DisplayName = "13.7 A 401 has a challenge with quoted values, and UNAUTHORIZED")]
    public async Task Challenge()
    {
        await using var closed = await RegistryFactory.StartAsync(("Access:Anonymous", "None"));

        var answer = (await closed.Client.GetAsync(ManifestPath("v1"))).ExpectError(401, "UNAUTHORIZED");

        Assert.Matches("^(Basic|Bearer) realm=\"[^\"]+\"(, ?[a-z]+=\"[^\"]*\")*$", answer.Header("WWW-Authenticate"));
    }

    [Fact(DisplayName = "13.8 _catalog lists the repositories that hold manifests")]
    public async Task Catalog()
    {
        await Client.PushImageAsync(Repository, "v1");

        var names = (await Client.GetAsync("/v2/_catalog")).Expect(200).Json.GetProperty("repositories")
            .EnumerateArray().Select(name => name.GetString());

        Assert.Contains(Repository, names);
    }

    // However fast the bucket fills up beside it.
    private static async Task<Answer> UntilRefusedAsync(RegistryFactory registry, string path)
    {
        for (var i = 0; i < 200; i++)
        {
            var answer = (await registry.Client.GetAsync(path)).Expect(200, 429);
            if (answer.Status == 429)
                return answer;
        }

        throw new InvalidOperationException("200 requests at once, and none of them was refused.");
    }
}
