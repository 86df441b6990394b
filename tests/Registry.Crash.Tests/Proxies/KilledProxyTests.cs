using System.Security.Cryptography;
using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests.Proxies;

/// <summary>kill -9 of a proxy in the middle of first pulls.</summary>
public sealed class KilledProxyTests(ITestOutputHelper output)
{
    private const int Blobs = 4;
    private const int BlobBytes = 24 << 20;
    private const string Repository = "team/app";

    private static int Kills => Programs.FullSizes ? 40 : 8;

    [Fact]
    public Task What_was_cut_off_is_never_served_as_whole_and_the_next_pull_repairs_it() => RunAsync([]);

    [S3Fact]
    public Task The_same_holds_for_a_store_in_S3() => RunAsync(SharedS3.StoreSettings());

    private async Task RunAsync(IEnumerable<(string Key, string? Value)> store)
    {
        (string, string?)[] stored = [.. store];
        using var origin = new WorkFolder("upstream");
        using var data = new WorkFolder("proxy");
        await using var upstream = await RegistryProcess.StartAsync(origin.Path);
        using var publisher = new PlainClient(upstream.Address);
        var pulled = new List<GeneratedContent>();
        var cutOff = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            GeneratedContent[] blobs
                = [.. Enumerable.Range(0, Blobs).Select(i => new GeneratedContent((kill * Blobs) + i, BlobBytes))];
            foreach (var blob in blobs)
                await publisher.PushAsync(Repository, blob, PushWay.Stream);

            await using (var proxy = await StartAsync(data, upstream, stored))
                cutOff += await PullUntilKilledAsync(proxy, blobs, after: (long)Blobs * BlobBytes * kill / Kills);

            await using var repaired = await StartAsync(data, upstream, stored);
            using var client = new PlainClient(repaired.Address);
            foreach (var blob in blobs)
                Assert.Equal((blob.Digest, blob.Length), await client.PullBlobAsync($"hub/{Repository}", blob.Digest));
            pulled.AddRange(blobs);
        }

        output.WriteLine($"measured: {Kills} kills of a proxy, {cutOff} first pulls cut off");
        Assert.True(cutOff >= Kills / 2, $"Only {cutOff} first pulls were cut off by {Kills} kills.");
        await upstream.StopAsync();
        await using var alone = await StartAsync(data, upstream, stored);
        using var last = new PlainClient(alone.Address);
        foreach (var blob in pulled)
            Assert.Equal((blob.Digest, blob.Length), await last.PullBlobAsync($"hub/{Repository}", blob.Digest));
        await alone.StopAsync();
        if (stored.Length > 0)
            Assert.Empty(Directory.GetFileSystemEntries(data.File("arriving"))); // on their way to the store
    }

    private static Task<RegistryProcess> StartAsync(
        WorkFolder data, RegistryProcess upstream, (string Key, string? Value)[] store)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Registry:Registries:hub:Kind"] = "Proxy",
            ["Registry:Registries:hub:Path"] = "hub",
            ["Registry:Registries:hub:Upstream"] = upstream.Address.GetLeftPart(UriPartial.Authority),
        };
        foreach (var (key, value) in store)
            settings[$"Registry:{key}"] = value!;
        return RegistryProcess.StartAsync(data.Path, listen: LoopbackPort.OwnAddress(), settings: settings);
    }

    // Kills the proxy once its clients have got so many bytes together; how many of them were cut off.
    private static async Task<int> PullUntilKilledAsync(RegistryProcess proxy, GeneratedContent[] blobs, long after)
    {
        long got = 0;
        var pulls = blobs.Select(PullAsync).ToArray();
        return (await Task.WhenAll(pulls)).Count(wasCutOff => wasCutOff);

        async Task<bool> PullAsync(GeneratedContent blob)
        {
            using var http = new HttpClient();
            try
            {
                using var answer = await http.GetAsync(
                    new Uri(proxy.Address, $"/v2/hub/{Repository}/blobs/{blob.Digest}"),
                    HttpCompletionOption.ResponseHeadersRead);
                await using var body = await answer.Content.ReadAsStreamAsync();
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                var buffer = new byte[64 * 1024];
                int read;
                while ((read = await body.ReadAsync(buffer)) > 0)
                {
                    hash.AppendData(buffer, 0, read);
                    if (Interlocked.Add(ref got, read) > after)
                        proxy.KillAbruptly();
                }

                Assert.Equal(blob.Digest, $"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}");
                return false;
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                return true;
            }
        }
    }
}
