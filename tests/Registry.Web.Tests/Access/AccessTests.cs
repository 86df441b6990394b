namespace Registry.Web.Tests.Access;

public sealed class AccessTests
{
    private const string Digest = "sha256:0000000000000000000000000000000000000000000000000000000000000001";

    public static TheoryData<string, string> Reads => new()
    {
        { "GET", "/v2/a/b/manifests/v1" }, { "HEAD", "/v2/a/b/manifests/v1" }, { "GET", $"/v2/a/b/manifests/{Digest}" },
        { "GET", $"/v2/a/b/blobs/{Digest}" }, { "HEAD", $"/v2/a/b/blobs/{Digest}" }, { "GET", "/v2/a/b/tags/list" },
        { "HEAD", "/v2/a/b/tags/list" }, { "GET", $"/v2/a/b/referrers/{Digest}" },
    };

    public static TheoryData<string, string> Writes => new()
    {
        { "POST", "/v2/a/b/blobs/uploads/" }, { "POST", $"/v2/a/b/blobs/uploads/?digest={Digest}" },
        { "POST", $"/v2/a/b/blobs/uploads/?mount={Digest}&from=c" },
        { "PATCH", "/v2/a/b/blobs/uploads/00000000-0000-4000-8000-000000000001" },
        { "PUT", $"/v2/a/b/blobs/uploads/00000000-0000-4000-8000-000000000001?digest={Digest}" },
        { "GET", "/v2/a/b/blobs/uploads/00000000-0000-4000-8000-000000000001" },
        { "DELETE", "/v2/a/b/blobs/uploads/00000000-0000-4000-8000-000000000001" },
        { "PUT", "/v2/a/b/manifests/v1" }, { "PUT", $"/v2/a/b/manifests/{Digest}?tag=v1" },
        { "DELETE", "/v2/a/b/manifests/v1" },
        { "DELETE", $"/v2/a/b/manifests/{Digest}" }, { "DELETE", $"/v2/a/b/blobs/{Digest}" },
    };

    [Theory]
    [MemberData(nameof(Reads))]
    [MemberData(nameof(Writes))]
    public async Task Where_anonymous_clients_may_do_nothing_every_request_is_401_with_a_challenge(string method,
        string path)
    {
        await using var closed = await RegistryFactory.StartAsync(("Access:Anonymous", "None"));

        var answer = await closed.Client.SendAsync(method, path, method is "GET" or "HEAD" ? null : [1, 2, 3]);

        ExpectChallenge(answer, method);
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task Where_anonymous_clients_may_pull_a_push_or_delete_is_401_with_a_challenge(string method,
        string path)
    {
        await using var readOnly = await RegistryFactory.StartAsync(("Access:Anonymous", "Pull"));

        ExpectChallenge(await readOnly.Client.SendAsync(method, path, method is "GET" or "HEAD" ? null : [1, 2, 3]),
            method);
    }

    [Fact]
    public async Task Where_anonymous_clients_may_pull_what_is_there_can_be_read()
    {
        using var data = new TemporaryFolder();
        TestContent manifest;
        await using (var open = await RegistryFactory.StartAsync(("Data", data.Path)))
            manifest = await open.Client.PushImageAsync("a/b", "v1");

        await using var readOnly = await RegistryFactory.StartAsync(("Data", data.Path), ("Access:Anonymous", "Pull"));

        Assert.Equal(manifest.Bytes, (await readOnly.Client.GetAsync("/v2/a/b/manifests/v1")).Expect(200).Body);
        (await readOnly.Client.HeadAsync($"/v2/a/b/manifests/{manifest.Digest}")).Expect(200);
        (await readOnly.Client.GetAsync("/v2/a/b/tags/list")).Expect(200);
        (await readOnly.Client.GetAsync($"/v2/a/b/referrers/{manifest.Digest}")).Expect(200);
        (await readOnly.Client.GetAsync($"/v2/a/b/blobs/{Digest}")).ExpectError(404, "BLOB_UNKNOWN");
        (await readOnly.Client.GetAsync("/v2/a/b/manifests/none")).ExpectError(404, "MANIFEST_UNKNOWN");
        Assert.Contains("a/b", (await readOnly.Client.GetAsync("/v2/_catalog"))
            .Expect(200).Text, StringComparison.Ordinal);
        (await readOnly.Client.DeleteAsync("/v2/a/b/manifests/v1")).Expect(401);
        (await readOnly.Client.GetAsync("/v2/a/b/manifests/v1")).Expect(200);
    }

    [Fact]
    public async Task Where_anonymous_clients_may_do_nothing_no_list_names_a_repository()
    {
        using var data = new TemporaryFolder();
        await using (var open = await RegistryFactory.StartAsync(("Data", data.Path)))
            await open.Client.PushImageAsync("secret/name", "v1");

        await using var closed = await RegistryFactory.StartAsync(("Data", data.Path), ("Access:Anonymous", "None"));

        foreach (var path in new[] { "/v2/_catalog", "/v2/tags/list", "/v1/search?q=secret" })
            Assert.DoesNotContain("secret/name", (await closed.Client.GetAsync(path))
                .Expect(200, 401).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_says_the_same_whether_the_repository_exists_or_not()
    {
        using var data = new TemporaryFolder();
        await using (var open = await RegistryFactory.StartAsync(("Data", data.Path)))
            await open.Client.PushImageAsync("a", "v1");
        await using var closed = await RegistryFactory.StartAsync(("Data", data.Path), ("Access:Anonymous", "None"));

        var first = await closed.Client.GetAsync("/v2/a/tags/list");
        var second = await closed.Client.GetAsync("/v2/b/tags/list");

        Assert.Equal(first.Status, second.Status);
        Assert.Equal(first.ErrorCodes(), second.ErrorCodes());
        Assert.Equal(first.Header("WWW-Authenticate")?.Replace("repository:a:", "repository:b:",
            StringComparison.Ordinal), second.Header("WWW-Authenticate"));
    }

    [Theory]
    [InlineData("X-Forwarded-For")]
    [InlineData("X-Forwarded-Proto")]
    [InlineData("Forwarded")]
    [InlineData("X-Forwarded-Host")]
    [InlineData("X-Original-For")]
    [InlineData("X-Real-IP")]
    [InlineData("Via")]
    public async Task While_nothing_is_configured_this_machine_may_push_and_nobody_through_a_proxy(string header)
    {
        await using var fresh = await RegistryFactory.StartAsync(("Access:Anonymous", null));

        await fresh.Client.PushImageAsync("a", "v1");

        foreach (var path in new[] { "/v2/", "/v2/a/manifests/v1", "/v2/_catalog" })
            ExpectChallenge(await fresh.Client.GetAsync(path, (header, "203.0.113.7")), "GET");
        ExpectChallenge(await fresh.Client.PostAsync("/v2/a/blobs/uploads/", null, (header, "203.0.113.7")), "POST");
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Host", "evil.example")]
    public async Task While_nothing_is_configured_a_page_of_another_origin_or_host_name_may_do_nothing(string header, string value)
    {
        await using var fresh = await RegistryFactory.StartAsync(("Access:Anonymous", null));

        var refused = await fresh.Client.PostAsync("/v2/a/blobs/uploads/", null, (header, value));

        ExpectChallenge(refused, "POST");
        Assert.Contains("Registry:Access:Anonymous", refused.Text, StringComparison.Ordinal);
        await fresh.Client.StartUploadAsync("a");
        (await fresh.Client.PostAsync("/v2/a/blobs/uploads/", null, ("Origin", $"http://{fresh.Address.Authority}"))).Expect(202);
    }

    [Fact]
    public async Task While_nothing_is_configured_a_registrys_port_makes_no_host_name_this_machines_own()
    {
        await using var fresh = await RegistryFactory.StartAsync(
            ("Access:Anonymous", null), ("Registries:named:Hosts:0", "hub.example"), ("Registries:port:Hosts:0", "*:5001"));

        (await fresh.Client.PostAsync("/v2/a/blobs/uploads/", null, ("Host", "hub.example:5001"))).Expect(202);
        (await fresh.Client.PostAsync("/v2/a/blobs/uploads/", null, ("Host", "localhost:5001"))).Expect(202);
        ExpectChallenge(await fresh.Client.PostAsync("/v2/a/blobs/uploads/", null, ("Host", "evil.example:5001")), "POST");
    }

    [Fact]
    public async Task The_admin_api_says_what_is_undecided_too()
    {
        await using var fresh = await RegistryFactory.StartAsync(("Access:Anonymous", null));

        (await fresh.Client.GetAsync("/api/v1/repositories")).Expect(200);
        var refused = (await fresh.Client.GetAsync("/api/v1/repositories", ("Via", "1.1 proxy"))).Expect(401);

        Assert.Contains("Registry:Access:Anonymous", refused.Json.GetProperty("title").GetString(), StringComparison.Ordinal);
        Assert.NotNull(refused.Header("WWW-Authenticate"));
    }

    private static void ExpectChallenge(Answer answer, string method)
    {
        answer.Expect(401);
        Assert.Matches("^(Basic|Bearer) realm=\"", answer.Header("WWW-Authenticate"));
        if (method != "HEAD")
            Assert.Equal(["UNAUTHORIZED"], answer.ErrorCodes());
    }
}
