namespace Registry.Web.Tests;

public sealed class RequestIdTests(RegistryFactory registry) : IClassFixture<RegistryFactory>
{
    [Theory]
    [InlineData("GET", "/v2/", 200)]
    [InlineData("HEAD", "/v2/", 200)]
    [InlineData("GET", "/v2/_catalog", 200)]
    [InlineData("POST", "/v2/request-id/blobs/uploads/", 202)]
    [InlineData("GET", "/v2/request-id/tags/list", 404)]
    [InlineData("GET", "/v2/REQUEST/tags/list", 400)]
    [InlineData("GET", "/v2/nothing", 404)]
    [InlineData("POST", "/v2/_catalog", 405)]
    public async Task Every_answer_has_a_request_id(string method, string path, int status)
        => Assert.Matches("^[!-~]{8,128}$", (await registry.Client.SendAsync(method, path))
            .Expect(status).Header("X-Request-Id"));

    [Theory]
    [InlineData("GET", "/v2/request-id/tags/list")]
    [InlineData("GET", "/v2/REQUEST/tags/list")]
    [InlineData("GET", "/v2/request-id/manifests/v1")]
    [InlineData("GET", "/v2/nothing")]
    [InlineData("POST", "/v2/_catalog")]
    [InlineData("PUT", "/v2/request-id/manifests/v1")]
    public async Task An_error_body_repeats_the_request_id(string method, string path)
        => (await registry.Client.SendAsync(method, path)).IsRefused(registry);

    [Fact]
    public async Task Two_requests_have_two_ids_also_on_one_connection()
        => Assert.NotEqual((await registry.Client.GetAsync("/v2/")).Header("X-Request-Id"),
            (await registry.Client.GetAsync("/v2/")).Header("X-Request-Id"));
}
