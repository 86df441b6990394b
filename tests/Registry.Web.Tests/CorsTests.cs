namespace Registry.Web.Tests;

[Trait(Backend.Trait, Backend.Neither)]
public sealed class CorsTests
{
    private const string Origin = "https://ui.example";

    [Fact]
    public async Task A_preflight_from_a_configured_origin_is_allowed()
    {
        await using var registry = await RegistryFactory.StartAsync(("Cors:Origins:0", Origin));

        var answer = await registry.Client.SendAsync(
            "OPTIONS", "/v2/a/manifests/v1", null, ("Origin", Origin), ("Access-Control-Request-Method", "DELETE"),
            ("Access-Control-Request-Headers", "authorization"));

        answer.Expect(200, 204).ExpectHeader("Access-Control-Allow-Origin", Origin);
        Assert.Contains("DELETE", answer.Header("Access-Control-Allow-Methods"), StringComparison.Ordinal);
        Assert.Contains("authorization", answer.Header("Access-Control-Allow-Headers"),
            StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_preflight_needs_no_credentials()
    {
        await using var registry = await RegistryFactory.StartAsync(("Cors:Origins:0", Origin),
            ("Access:Anonymous", "None"));

        (await registry.Client.SendAsync("OPTIONS", "/v2/", null, ("Origin", Origin),
            ("Access-Control-Request-Method", "GET"))).Expect(200, 204);
        (await registry.Client.GetAsync("/v2/", ("Origin", Origin))).Expect(401)
            .ExpectHeader("Access-Control-Allow-Origin", Origin);
    }

    [Fact]
    public async Task A_simple_request_from_a_configured_origin_may_be_read_with_the_headers_that_matter()
    {
        await using var registry = await RegistryFactory.StartAsync(("Cors:Origins:0", Origin));
        await registry.Client.PushImageAsync("a", "v1");

        var answer = (await registry.Client.GetAsync("/v2/a/manifests/v1", ("Origin", Origin))).Expect(200)
            .ExpectHeader("Access-Control-Allow-Origin", Origin);

        foreach (var header in new[] { "Docker-Content-Digest", "Link", "WWW-Authenticate", "Location",
            "Content-Range" })
            Assert.Contains(header,
                answer.Header("Access-Control-Expose-Headers")!.Split(',', StringSplitOptions.TrimEntries),
                StringComparer.OrdinalIgnoreCase);
        (await registry.Client.GetAsync("/v2/a/manifests/none", ("Origin", Origin))).Expect(404)
            .ExpectHeader("Access-Control-Allow-Origin", Origin);
    }

    [Fact]
    public async Task Another_origin_and_a_registry_without_configuration_allow_nothing()
    {
        await using var configured = await RegistryFactory.StartAsync(("Cors:Origins:0", Origin));
        await using var plain = await RegistryFactory.StartAsync();

        (await configured.Client.GetAsync("/v2/", ("Origin", "https://evil.example"))).Expect(200)
            .ExpectHeader("Access-Control-Allow-Origin", null);
        (await plain.Client.GetAsync("/v2/", ("Origin", Origin))).Expect(200)
            .ExpectHeader("Access-Control-Allow-Origin", null);
    }
}
