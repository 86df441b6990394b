using Microsoft.Extensions.DependencyInjection;
using Registry.Application.Catalog;
using Registry.Web.Tests.Errors;

namespace Registry.Web.Tests;

/// <summary>No answer is taken by a browser for a page of the registry's. S-23</summary>
[Trait(Backend.Trait, Backend.Neither)]
public sealed class SecurityHeaderTests(RegistryFactory registry) : IClassFixture<RegistryFactory>
{
    private readonly string _repository = RegistryFactory.NewRepository();

    [Theory]
    [InlineData("GET", "/v2/", 200)]
    [InlineData("GET", "/v2/_catalog", 200)]
    [InlineData("GET", "/v2/UPPER/tags/list", 400)]
    [InlineData("GET", "/v2/nowhere", 404)]
    [InlineData("PUT", "/v2/_catalog", 405)]
    [InlineData("GET", "/v2/a/manifests/none", 404)]
    [InlineData("GET", "/v1/search?q=a", 200)]
    [InlineData("GET", "/api/v1/repositories", 200)]
    [InlineData("GET", "/api/v1/nowhere", 404)]
    [InlineData("GET", "/token", 200)]
    [InlineData("GET", "/token/keys", 200)]
    [InlineData("GET", "/healthz/live", 200)]
    [InlineData("GET", "/healthz/ready", 200)]
    [InlineData("GET", "/metrics", 200)]
    public async Task Every_answer_says_that_it_is_no_page(string method, string path, int status)
        => ExpectHarmless((await registry.Client.SendAsync(method, path)).Expect(status));

    [Fact]
    public async Task A_failure_says_so_too()
    {
        await using var broken = await RegistryFactory.StartAsync(services => services.AddSingleton<ICatalog>(
            new StandInCatalog(_ => throw new InvalidOperationException("A bug."))));
        ExpectHarmless((await broken.Client.GetAsync("/v2/_catalog")).Expect(500));
    }

    [Fact]
    public async Task A_page_that_was_pushed_does_not_run_on_the_registrys_origin()
    {
        var page = TestContent.Text("<!DOCTYPE html><html><script>alert(document.domain)</script></html>");
        (await registry.Client.PostAsync(
            $"/v2/{_repository}/blobs/uploads/?digest={page.Digest}", page.Bytes, ("Content-Type", "text/html"))).Expect(201);

        foreach (var headers in new (string, string)[][] { [], [("Accept", "text/html")], [("Range", "bytes=0-20")] })
        {
            var answer = await registry.Client.GetAsync($"/v2/{_repository}/blobs/{page.Digest}", headers);
            ExpectHarmless(answer.Expect(200, 206)).ExpectHeader("Content-Type", "application/octet-stream");
        }
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("text/html; charset=utf-8")]
    [InlineData("image/svg+xml")]
    [InlineData("application/xhtml+xml")]
    public async Task A_manifest_is_not_stored_as_a_page(string type)
    {
        var manifest = (await registry.Client.NewImageAsync(_repository)).Without("mediaType").Build();
        (await registry.Client.PutAsync($"/v2/{_repository}/manifests/page", manifest.Bytes, ("Content-Type", type)))
            .Expect(400);
        (await registry.Client.GetAsync($"/v2/{_repository}/manifests/page")).Expect(404);
    }

    [Theory]
    [InlineData("/api/v1/repositories")]
    [InlineData("/api/v1/nowhere")]
    [InlineData("/api/v1/tags")]
    [InlineData("/token")]
    public async Task What_is_about_access_or_administration_is_stored_by_nobody(string path)
        => (await registry.Client.GetAsync(path)).ExpectHeader("Cache-Control", "no-store");

    [Fact]
    public async Task Content_may_be_kept_by_whoever_has_it()
    {
        await registry.Client.PushImageAsync(_repository, "v1");
        (await registry.Client.GetAsync($"/v2/{_repository}/manifests/v1")).Expect(200).ExpectHeader("Cache-Control", null);
    }

    [Theory]
    [InlineData("/swagger/index.html")]
    [InlineData("/swagger/index.js")]
    [InlineData("/swagger/registry/swagger.json")]
    public async Task The_pages_about_the_admin_api_load_nothing_of_others_and_are_in_no_frame(string path)
    {
        var page = (await registry.Client.GetAsync(path)).Expect(200)
            .ExpectHeader("X-Content-Type-Options", "nosniff")
            .ExpectHeader("Referrer-Policy", "no-referrer")
            .ExpectHeader("X-Frame-Options", "DENY");
        var policy = page.Header("Content-Security-Policy")!.Split("; ");
        foreach (var directive in new[] { "default-src 'none'", "script-src 'self'", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'" })
            Assert.Contains(directive, policy);
    }

    [Fact]
    public async Task The_page_about_the_admin_api_needs_nothing_that_its_policy_forbids()
    {
        var page = (await registry.Client.GetAsync("/swagger/index.html")).Expect(200).Text;

        foreach (var script in page.Split("<script").Skip(1))
            Assert.Contains("src=", script[..script.IndexOf('>', StringComparison.Ordinal)], StringComparison.Ordinal);
        Assert.DoesNotContain("//", page.Replace("<!DOCTYPE", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/")]
    [InlineData("/v2/_catalog")]
    [InlineData("/token")]
    [InlineData("/api/v1/repositories")]
    public async Task No_other_origin_is_let_in_with_credentials(string path)
    {
        await using var configured = await RegistryFactory.StartAsync(("Cors:Origins:0", "https://ui.example"));
        foreach (var origin in new[] { "https://ui.example", "https://evil.example", "null" })
        {
            foreach (var method in new[] { "GET", "OPTIONS" })
            {
                var answer = await configured.Client.SendAsync(
                    method, path, null, ("Origin", origin), ("Access-Control-Request-Method", "GET"),
                    ("Authorization", "Basic Og=="));
                answer.ExpectHeader("Access-Control-Allow-Credentials", null);
                Assert.NotEqual("*", answer.Header("Access-Control-Allow-Origin"));
                if (origin != "https://ui.example")
                    answer.ExpectHeader("Access-Control-Allow-Origin", null);
            }
        }
    }

    [Theory]
    [InlineData("*")]
    [InlineData("https://*")]
    [InlineData("https://*.example.com")]
    public async Task No_origin_has_a_wildcard(string origin)
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(
            async () => await (await RegistryFactory.StartAsync(("Cors:Origins:0", origin))).DisposeAsync());
        Assert.Contains("Registry:Cors:Origins", refused.GetBaseException().Message, StringComparison.Ordinal);
    }

    private static Answer ExpectHarmless(Answer answer)
        => answer
            .ExpectHeader("X-Content-Type-Options", "nosniff")
            .ExpectHeader("Referrer-Policy", "no-referrer")
            .ExpectHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
            .ExpectHeader("Strict-Transport-Security", null);
}
