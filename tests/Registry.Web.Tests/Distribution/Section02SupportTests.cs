namespace Registry.Web.Tests.Distribution;

public sealed class Section02SupportTests(RegistryFactory registry) : DistributionTests(registry)
{
    [Theory(DisplayName = "2.1 The API answers 200 at its root, with and without the slash")]
    [InlineData("GET", "/v2/")]
    [InlineData("HEAD", "/v2/")]
    [InlineData("GET", "/v2")]
    public async Task Root(string method, string path) => (await Client.SendAsync(method, path)).Expect(200);

    [Fact(DisplayName = "2.2 Where anonymous clients may not push, the root asks for credentials")]
    public async Task Root_with_access_control()
    {
        await using var closed = await RegistryFactory.StartAsync(("Access:Anonymous", "None"));

        var answer = (await closed.Client.GetAsync("/v2/")).ExpectError(401, "UNAUTHORIZED");

        Assert.Matches("^(Basic|Bearer) realm=\"", answer.Header("WWW-Authenticate"));
    }

    [Fact(DisplayName = "2.3 The root names the API version for old clients")]
    public async Task Version()
        => (await Client.GetAsync("/v2/")).ExpectHeader("Docker-Distribution-API-Version", "registry/2.0");
}
