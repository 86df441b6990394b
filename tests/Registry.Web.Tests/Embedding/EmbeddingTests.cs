using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Registry.Web.Tests.Embedding;

public sealed class EmbeddingTests(HostApplication host) : IClassFixture<HostApplication>
{
    private readonly RegistryClient _client = host.Client;
    private readonly string _repository = RegistryFactory.NewRepository();

    [Fact]
    public async Task Host_and_registry_answer_side_by_side()
    {
        var manifest = await _client.PushImageAsync(_repository, "v1");

        Assert.Equal("hello world", (await _client.GetAsync("/hello/world")).Expect(200).Text);
        Assert.Equal("minimal x", (await _client.GetAsync("/minimal/x")).Expect(200).Text);
        Assert.Equal(manifest.Bytes, (await _client.GetAsync($"/v2/{_repository}/manifests/v1")).Expect(200).Body);
        (await _client.GetAsync("/v2/")).Expect(200);
    }

    [Fact]
    public async Task The_host_still_reads_forms_and_files()
    {
        var form = await _client.PostAsync("/hello/form", "name=Ann&times=3"u8.ToArray(),
            ("Content-Type", "application/x-www-form-urlencoded"));
        var file = await _client.PostAsync(
            "/hello/file",
            Encoding.ASCII.GetBytes("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nabc\r\n--x--\r\n"),
            ("Content-Type", "multipart/form-data; boundary=x"));

        Assert.Equal("Ann x3", form.Expect(200).Text);
        Assert.Equal("a.txt: 3", file.Expect(200).Text);
    }

    [Theory]
    [InlineData("/hello/form", "name=&times=3", "application/x-www-form-urlencoded", "Name")]
    [InlineData("/hello/json", """{"name":"Ann","times":30}""", "application/json", "Times")]
    [InlineData("/hello/json", """{"name":""", "application/json", "$.name")]
    public async Task The_hosts_automatic_400_is_as_usual(string path, string body, string type, string field)
    {
        var answer = (await _client.PostAsync(path, Encoding.UTF8.GetBytes(body), ("Content-Type", type))).Expect(400);

        Assert.StartsWith("application/problem+json", answer.Header("Content-Type"), StringComparison.Ordinal);
        Assert.True(answer.Json.GetProperty("errors").TryGetProperty(field, out _), answer.Text);
    }

    [Fact]
    public async Task The_hosts_other_answers_are_its_own()
    {
        Assert.Empty((await _client.GetAsync("/elsewhere")).Expect(404).Body);
        (await _client.PostAsync("/hello/world")).Expect(405);
        (await _client.PostAsync("/hello/json", [], ("Content-Type", "text/plain"))).Expect(415);
        Assert.DoesNotContain("\"errors\"", (await _client.GetAsync("/hello/failure"))
            .Expect(500).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_API_document_has_the_paths_of_its_own_side_alone()
    {
        var registrys = await PathsAsync("registry");
        var hosts = await PathsAsync("host");

        Assert.Contains("/api/v1/repositories", registrys);
        Assert.All(registrys, path => Assert.StartsWith("/api/v1/", path, StringComparison.Ordinal));
        Assert.Contains("/hello/{name}", hosts);
        Assert.All(hosts, path => Assert.DoesNotContain("/api/v1/", path, StringComparison.Ordinal));

        async Task<string[]> PathsAsync(string document)
            => [.. (await _client.GetAsync($"/swagger/{document}/swagger.json")).Expect(200)
                .Json.GetProperty("paths").EnumerateObject().Select(path => path.Name)];
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/json")]
    public async Task The_registry_takes_any_body_as_bytes(string type)
    {
        var content = ("Content-Type", type);
        var (put, patch, post) = (TestContent.Text($"a=b&c={Guid.NewGuid()}"),
            TestContent.Text($"d={Guid.NewGuid()}"), TestContent.Text($"e={Guid.NewGuid()}"));

        var first = await _client.StartUploadAsync(_repository);
        (await _client.PutAsync(RegistryClient.WithQuery(first, $"digest={put.Digest}"), put.Bytes, content))
            .Expect(201);
        var second =
            (await _client.SendAsync("PATCH", await _client.StartUploadAsync(_repository), patch.Bytes, content))
            .Expect(202).Location;
        (await _client.CloseAsync(second, patch.Digest)).Expect(201);
        (await _client.PostAsync($"/v2/{_repository}/blobs/uploads/?digest={post.Digest}", post.Bytes, content))
            .Expect(201);

        foreach (var blob in new[] { put, patch, post })
            Assert.Equal(blob.Bytes, (await _client.GetAsync($"/v2/{_repository}/blobs/{blob.Digest}")).Expect(200)
                .Body);
    }

    [Fact]
    public async Task The_registrys_refusals_are_in_its_own_envelope()
    {
        (await _client.GetAsync("/v2/UPPER/tags/list")).ExpectError(400, "NAME_INVALID");
        (await _client.GetAsync($"/v2/{_repository}/manifests/v1")).ExpectError(404, "MANIFEST_UNKNOWN");
        (await _client.PutAsync($"/v2/{_repository}/manifests/v1", [], ("Content-Type", ManifestBuilder.OciImage)))
            .ExpectError(400, "MANIFEST_INVALID");
    }

    [Fact]
    public async Task Another_products_test_starts_it_on_a_folder_and_finds_everything_again_after_a_restart()
    {
        using var folder = new TemporaryFolder();
        TestContent? manifest = null;
        for (var start = 0; start < 2; start++)
        {
            var builder = WebApplication.CreateBuilder();
            builder.Configuration.AddInMemoryCollection(RegistryFactory.Settings(folder.Path));
            RegistryFactory.Prepare(builder);
            builder.Services.AddRegistry(builder.Configuration);
            await using var application = builder.Build();
            application.MapRegistry();
            await application.StartAsync();
            using var client = new RegistryClient(RegistryFactory.AddressOf(application));

            manifest ??= await client.PushImageAsync("product/app", "v1");
            Assert.Equal(manifest.Bytes, (await client.GetAsync("/v2/product/app/manifests/v1")).Expect(200).Body);
            var layer = JsonSerializer.Deserialize<JsonElement>(manifest.Bytes).GetProperty("layers")[0].GetProperty("digest").GetString();
            (await client.GetAsync($"/v2/product/app/blobs/{layer}")).Expect(200);
            await application.StopAsync();
        }
    }

    [Fact]
    public async Task The_hosts_own_policy_for_everything_leaves_the_registry_alone()
    {
        using var folder = new TemporaryFolder();
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(RegistryFactory.Settings(folder.Path));
        RegistryFactory.Prepare(builder);
        builder.Services.AddAuthentication("cookie").AddCookie("cookie", cookie => cookie.LoginPath = "/login");
        builder.Services.AddAuthorization(policies
            => policies.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        builder.Services.AddRegistry(builder.Configuration);
        await using var application = builder.Build();
        application.MapGet("/minimal/{name}", (string name) => $"minimal {name}");
        application.MapRegistry();
        await application.StartAsync();
        using var client = new RegistryClient(RegistryFactory.AddressOf(application));

        Assert.Contains("/login", (await client.GetAsync("/minimal/x")).Expect(302).Location, StringComparison.Ordinal);
        var manifest = await client.PushImageAsync("product/app", "v1");
        Assert.Equal(manifest.Bytes, (await client.GetAsync("/v2/product/app/manifests/v1")).Expect(200).Body);
        (await client.GetAsync("/healthz/live")).Expect(200);
        await application.StopAsync();
    }

    [Fact]
    public async Task An_upload_goes_on_after_a_restart()
    {
        using var folder = new TemporaryFolder();
        var blob = TestContent.Random(100_000);
        string location;
        await using (var first = await RegistryFactory.StartAsync(("Data", folder.Path)))
            location = new Uri(first.Address,
                (await first.Client.PatchAsync(await first.Client.StartUploadAsync("a"), blob.Bytes[..60_000]))
                .Expect(202).Location).PathAndQuery;

        await using var second = await RegistryFactory.StartAsync(("Data", folder.Path));

        (await second.Client.GetAsync(location)).Expect(204).ExpectHeader("Range", "0-59999");
        (await second.Client.CloseAsync(location, blob.Digest, blob.Bytes[60_000..])).Expect(201);
        Assert.Equal(blob.Bytes, (await second.Client.GetAsync($"/v2/a/blobs/{blob.Digest}")).Expect(200).Body);
    }

    [Theory]
    [InlineData("Access:Anonymous", "Everything", "Registry:Access:Anonymous")]
    [InlineData("Registries:a:Store", "nowhere", "nowhere")]
    [InlineData("Uploads:Expiry", "tomorrow", "Registry:Uploads:Expiry")]
    [InlineData("Registries:UPPER:Path", "x", "UPPER")]
    [InlineData("Unknown", "x", "Registry:Unknown")]
    public async Task A_configuration_that_cannot_be_used_stops_the_start_and_is_named(string key, string value,
        string named)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var registry = await RegistryFactory.StartAsync((key, value));
        });

        Assert.Contains(named, failure.GetBaseException().Message, StringComparison.Ordinal);
    }
}
