using Registry.Testing.Processes;

namespace Registry.Web.Tests.Distribution;

/// <summary>What the section says of redirects, which needs a store that clients can be sent to.</summary>
[Trait(Backend.Trait, Backend.Own)]
public sealed class Section04RedirectTests
{
    [S3Fact(DisplayName = "4.6 A GET of a large blob may be a redirect to the store, which then delivers the blob; HEAD is answered here")]
    public async Task Redirect()
    {
        await using var registry = await RegistryFactory.StartAsync(
        [
            .. SharedS3.StoreSettings(), ("Stores:default:Redirect", "true"), ("Stores:default:RedirectMinBytes", "500"),
        ]);
        var (small, large) = (TestContent.Random(499), TestContent.Random(500));
        await registry.Client.PushBlobAsync("app", small);
        await registry.Client.PushBlobAsync("app", large);

        Assert.Equal(small.Bytes, (await registry.Client.GetAsync($"/v2/app/blobs/{small.Digest}")).Expect(200).Body);
        (await registry.Client.HeadAsync($"/v2/app/blobs/{large.Digest}")).Expect(200).ExpectHeader("Content-Length", "500");
        var answer = (await registry.Client.GetAsync($"/v2/app/blobs/{large.Digest}", ("Range", "bytes=1-2"))).Expect(307);
        Assert.Empty(answer.Body);
        using var http = new HttpClient();
        Assert.Equal(large.Bytes, await http.GetByteArrayAsync(new Uri(answer.Location)));
    }
}
