using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Registry.Web.Tests.Access;

/// <summary>What proxies say counts only where the configuration knows them.</summary>
[Trait(Backend.Trait, Backend.Neither)]
public sealed class ForwardedHeadersTests
{
    private const string Client = "203.0.113.7";

    private static readonly (string, string?)[] Trusted = [("ForwardedHeaders:Networks:0", "127.0.0.0/8")];
    private static readonly (string, string?)[] SeveralTrusted
        = [.. Trusted, ("ForwardedHeaders:Networks:1", "10.1.0.0/16"), ("ForwardedHeaders:Networks:2", "2001:db8::/32")];

    private static readonly (string, string?)[] OthersTrusted = [("ForwardedHeaders:Networks:0", "10.1.0.0/16")];

    [Fact]
    public async Task The_log_names_the_client_of_a_known_proxy()
    {
        using var log = new RecordedLog();
        await using var registry = await StartAsync(log, Trusted);

        (await registry.Client.GetAsync("/v2/seen/tags/list", ("X-Forwarded-For", Client))).Expect(404);

        Assert.Contains($" from {Client} ", await log.FirstAsync("/v2/seen/"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7, 10.1.2.3", "203.0.113.7")]
    [InlineData("203.0.113.7, 10.1.2.3, 2001:db8::5", "203.0.113.7")]
    [InlineData("10.1.9.9, 203.0.113.7, 10.1.2.3", "203.0.113.7")] // what the client itself says
    [InlineData("127.0.0.1, 203.0.113.7", "203.0.113.7")]
    [InlineData("garbage, 203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7, garbage", "127.0.0.1")]
    public async Task The_client_is_the_first_from_the_right_that_is_no_known_proxy(string chain, string client)
    {
        using var log = new RecordedLog();
        await using var registry = await StartAsync(log, SeveralTrusted);

        (await registry.Client.GetAsync("/v2/seen/tags/list", ("X-Forwarded-For", chain))).Expect(404);

        Assert.Contains($" from {client} ", await log.FirstAsync("/v2/seen/"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nobody_else_is_believed(bool othersAreKnown)
    {
        using var log = new RecordedLog();
        await using var registry = await StartAsync(log, othersAreKnown ? OthersTrusted : []);

        var answer = await registry.Client.GetAsync(
            "/v2/seen/tags/list", ("X-Forwarded-For", Client), ("X-Forwarded-Host", "evil.example"));

        Assert.Contains(" from 127.0.0.1 ", await log.FirstAsync("/v2/seen/"), StringComparison.Ordinal);
        Assert.DoesNotContain("evil.example", answer.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_challenge_is_for_the_address_that_the_client_of_a_known_proxy_has()
    {
        await using var registry = await RegistryFactory.StartAsync([("Access:Anonymous", "None"), .. Trusted]);

        var challenge = (await registry.Client.GetAsync(
            "/v2/", ("X-Forwarded-For", Client), ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "Registry.example.com"))).Expect(401).Header("WWW-Authenticate");

        Assert.StartsWith(
            "Bearer realm=\"https://registry.example.com/token\",service=\"registry.example.com\"", challenge,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_challenge_goes_by_nobody_elses_word_once_proxies_are_known()
    {
        await using var unset = await RegistryFactory.StartAsync(("Access:Anonymous", "None"));
        await using var others = await RegistryFactory.StartAsync([("Access:Anonymous", "None"), .. OthersTrusted]);

        Assert.StartsWith("Bearer realm=\"https://localhost/", await ChallengeAsync(unset), StringComparison.Ordinal);
        Assert.StartsWith("Bearer realm=\"http://localhost/", await ChallengeAsync(others), StringComparison.Ordinal);

        static async Task<string?> ChallengeAsync(RegistryFactory registry)
            => (await registry.Client.GetAsync(
                "/v2/", ("Host", "localhost"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example")))
                .Expect(401).Header("WWW-Authenticate");
    }

    [Theory]
    [InlineData(true, "registry.example", null, null, "plain")]
    [InlineData(true, "registry.example", "https", null, "secure")]
    [InlineData(true, "registry.example:5001", "https", null, "port")]
    [InlineData(true, "registry.example:444", "https", null, "root")]
    [InlineData(true, "10.1.2.3:5000", "https", "registry.example:5001", "port")]
    [InlineData(true, "registry.example:5001", "https", "registry.example", "secure")] // the port got lost on the way
    [InlineData(false, "registry.example", "https", null, "plain")]
    [InlineData(false, "registry.example", "https", "registry.example:5001", "plain")]
    public async Task The_registry_is_that_of_the_host_and_port_that_the_client_of_a_known_proxy_names(
        bool isKnown, string host, string? scheme, string? forwarded, string registry)
    {
        (string Registry, string Host)[] hosts = [("plain", "*:80"), ("secure", "*:443"), ("port", "*:5001"), ("root", "*:1")];
        await using var server = await RegistryFactory.StartAsync(
        [
            .. hosts.SkipLast(1).Select(entry => ($"Registries:{entry.Registry}:Hosts:0", (string?)entry.Host)),
            .. isKnown ? Trusted : [],
        ]);
        foreach (var (own, pattern) in hosts)
        {
            var index = ManifestBuilder.Index().Annotation("registry", own).Build();
            (await server.Client.PutAsync(
                "/v2/app/manifests/v1", index.Bytes, ("Content-Type", index.MediaType), ("Host", pattern.Replace('*', 'x')))).Expect(201);
        }

        (string, string)[] headers =
        [
            ("Host", host),
            .. scheme is null ? Array.Empty<(string, string)>() : [("X-Forwarded-Proto", scheme)],
            .. forwarded is null ? Array.Empty<(string, string)>() : [("X-Forwarded-Host", forwarded)],
        ];
        var got = (await server.Client.GetAsync("/v2/app/manifests/v1", headers)).Expect(200);

        Assert.Equal(registry, got.Json.GetProperty("annotations").GetProperty("registry").GetString());
    }

    [Fact]
    public async Task The_limit_of_an_address_is_that_of_the_client()
    {
        await using var registry = await RegistryFactory.StartAsync(
            [("Limits:RequestsPerSecond", "1"), ("Limits:Burst", "3"), .. Trusted]);

        for (var i = 0; (await AskAsync(Client)).Status != 429; i++)
            Assert.InRange(i, 0, 500);
        (await AskAsync("203.0.113.8")).Expect(200);
        // The address that the client claims to forward for has a bucket of its own at no time.
        Assert.Equal(429, (await AskAsync($"198.51.100.1, {Client}")).Status);

        Task<Answer> AskAsync(string chain) => registry.Client.GetAsync("/v2/", ("X-Forwarded-For", chain));
    }

    [Theory]
    [InlineData("X-Forwarded-For", "203.0.113.7")]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("X-Forwarded-For", "garbage")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("X-Forwarded-Proto", "http")]
    [InlineData("X-Forwarded-Host", "localhost")]
    [InlineData("X-Original-For", "127.0.0.1")]
    [InlineData("X-Original-Proto", "http")]
    [InlineData("X-Original-Host", "localhost")]
    public async Task A_forwarded_request_is_never_local_even_of_a_known_proxy(string header, string value)
    {
        await using var registry = await RegistryFactory.StartAsync([("Access:Anonymous", null), .. Trusted]);

        (await registry.Client.GetAsync("/v2/")).Expect(200);
        (await registry.Client.GetAsync("/v2/", (header, value))).ExpectError(401, "UNAUTHORIZED");
        (await registry.Client.PostAsync("/v2/a/blobs/uploads/", null, (header, value))).Expect(401);
        Assert.Equal(403, (await registry.Client.GetAsync("/metrics", (header, value))).Status);
    }

    private static Task<RegistryFactory> StartAsync(RecordedLog log, (string, string?)[] settings)
        => RegistryFactory.StartAsync(services => services.AddSingleton<ILoggerProvider>(log), settings);
}
