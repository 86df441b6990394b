using Microsoft.Extensions.DependencyInjection;
using Registry.Application.Catalog;
using Registry.Domain.Errors;

namespace Registry.Web.Tests.Errors;

/// <summary>Storage fails after a request was understood.</summary>
public sealed class BrokenStorageTests
{
    private const string Origin = "https://ui.example";

    [Theory]
    [InlineData(null)]
    [InlineData("bytes=2-5")]
    public async Task A_blob_that_cannot_be_read_is_503_and_nothing_of_the_answer_that_was_meant_stays(string? range)
    {
        await using var registry = await RegistryFactory.StartAsync(BrokenStores.PutInPlace, ("Cors:Origins:0", Origin));
        var blob = await registry.Client.PushBlobAsync("a", TestContent.Random(1000));

        var answer = await registry.Client.GetAsync(
            $"/v2/a/blobs/{blob.Digest}", [("Origin", Origin), .. range is null ? [] : new[] { ("Range", range) }]);

        answer.Expect(503).ExpectHeader("Retry-After", "5").ExpectHeader("Content-Type", "application/json")
            .ExpectHeader("Docker-Distribution-API-Version", "registry/2.0").ExpectHeader("Access-Control-Allow-Origin", Origin);
        foreach (var header in new[] { "ETag", "Docker-Content-Digest", "Content-Range", "Accept-Ranges" })
            answer.ExpectHeader(header, null);
        var error = answer.GivesNothingAway(registry).Json.GetProperty("errors")[0];
        Assert.Equal("UNAVAILABLE", error.GetProperty("code").GetString());
        Assert.Equal(answer.Header("X-Request-Id"), error.GetProperty("detail").GetProperty("requestId").GetString());
    }

    [Theory]
    [InlineData("/v2/_catalog", "application/json")]
    [InlineData("/api/v1/repositories", "application/problem+json")]
    [InlineData("/API/v1/repositories", "application/problem+json")]
    public async Task A_database_that_cannot_be_used_is_503_and_says_when_to_come_back(string path, string type)
    {
        await using var registry = await RegistryFactory.StartAsync(
            services => services.AddSingleton<ICatalog>(
                new StandInCatalog(_ => throw new StorageException(OciError.Unavailable("database"), new IOException("database is locked")))));

        var answer = await registry.Client.GetAsync(path);

        answer.Expect(503).ExpectHeader("Retry-After", "5").ExpectHeader("Content-Type", type).GivesNothingAway(registry);
    }

    [Theory]
    [InlineData("/v2/_catalog")]
    [InlineData("/api/v1/repositories")]
    public async Task A_method_that_is_not_possible_is_405_and_the_answer_names_those_that_are(string path)
    {
        await using var registry = await RegistryFactory.StartAsync();

        var answer = (await registry.Client.PostAsync(path)).Expect(405);

        Assert.Contains("GET", answer.Header("Allow"), StringComparison.Ordinal);
        Assert.NotEmpty(answer.Text);
    }
}
