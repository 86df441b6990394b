using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Registry.Application.Catalog;
using Registry.Web.Tests.Errors;
using Xunit.Sdk;

namespace Registry.Web.Tests;

/// <summary>The servers of all tests are watched for secrets in their logs: these see that the watch is awake. S-23</summary>
public sealed class SecretsTests
{
    private static readonly string Header = $"Basic {Convert.ToBase64String("alice:s3cret-word"u8)}";

    [Theory]
    [InlineData("YWxpY2U6czNjcmV0LXdvcmQ=")]
    [InlineData("s3cret-word")]
    [InlineData("basket-of-keys")]
    [InlineData("issued-token-1")]
    public async Task A_secret_in_a_log_fails_the_test_whose_server_wrote_it(string written)
    {
        var registry = await RegistryFactory.StartAsync(
            services => services.AddSingleton<ICatalog>(
                new StandInCatalog(_ => throw new InvalidOperationException($"The bug has {written} in its hands."))),
            ("Access:Anonymous", "Push"), ("Tls:Certificates:0:Path", "unused"),
            ("Tls:Certificates:0:Password", "basket-of-keys"));
        await registry.Client.PostAsync("/token", Encoding.ASCII.GetBytes("refresh_token=issued-token-1"));
        (await registry.Client.GetAsync("/v2/", ("Authorization", Header))).Expect(401);
        (await registry.Client.GetAsync("/v2/_catalog")).Expect(500);

        var failure = await Assert.ThrowsAsync<XunitException>(async () => await ((IAsyncDisposable)registry).DisposeAsync());

        Assert.Contains("The bug has", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(written, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_client_shows_is_in_no_log_by_itself()
    {
        await using var registry = await RegistryFactory.StartAsync(("Access:Anonymous", "Pull"));
        foreach (var path in new[] { "/v2/", "/v2/a/manifests/v1?token=s3cret-word", "/token", "/api/v1/repositories", "/healthz/ready" })
        {
            await registry.Client.GetAsync(path, ("Authorization", Header));
            await registry.Client.GetAsync(path, ("Authorization", "Bearer s3cret-word.s3cret-word.s3cret-word"));
        }
    }
}
