using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests.Proxies;

/// <summary>What first pulls cost the proxy in memory, with as many readers as a rollout has.</summary>
public sealed class ProxyMemoryTests(ITestOutputHelper output)
{
    private const long Mebi = 1024 * 1024;
    private const long MostResidentBytes = 250 * Mebi;
    private const int Layers = 8;
    private const int Readers = 3;

    [Fact]
    public Task Eight_first_pulls_at_once_stay_below_250_MB()
        => RunAsync(new Dictionary<string, string>(StringComparer.Ordinal));

    [S3Fact]
    public async Task So_they_do_where_the_blobs_go_to_S3()
    {
        // What is too much for the memory of the machine goes to its disk.
        await using var server = await S3Server.StartAsync(inMemory: !Programs.FullSizes);
        await RunAsync(server.Settings("proxy").ToDictionary(
            setting => $"Registry:Stores:default:{setting.Key}", setting => setting.Value!, StringComparer.Ordinal));
    }

    private async Task RunAsync(Dictionary<string, string> store)
    {
        var size = (Programs.FullSizes ? 1024 : 64) * Mebi;
        using var origin = new WorkFolder("upstream");
        using var data = new WorkFolder("proxy");
        await using var upstream = await RegistryProcess.StartAsync(origin.Path);
        using var publisher = new PlainClient(upstream.Address);
        var blobs = new GeneratedContent[Layers];
        Parallel.For(0, blobs.Length, i => blobs[i] = new GeneratedContent(2000 + i, size));
        foreach (var blob in blobs)
            await publisher.PushAsync("team/app", blob, PushWay.Stream);
        var settings = new Dictionary<string, string>(store, StringComparer.Ordinal)
        {
            ["Registry:Registries:hub:Kind"] = "Proxy",
            ["Registry:Registries:hub:Path"] = "hub",
            ["Registry:Registries:hub:Upstream"] = upstream.Address.GetLeftPart(UriPartial.Authority),
        };
        await using var proxy = await RegistryProcess.StartAsync(data.Path, settings: settings);
        using var client = new PlainClient(proxy.Address);
        var idle = proxy.PeakResidentBytes();

        var pulled = await Task.WhenAll(Enumerable.Range(0, Layers * Readers)
            .Select(i => client.PullBlobAsync("hub/team/app", blobs[i % Layers].Digest)));
        var peak = proxy.PeakResidentBytes();

        output.WriteLine(
            $"measured: peak memory of a proxy {idle / Mebi} MB idle, {peak / Mebi} MB after {Layers} first pulls of "
            + $"{size / Mebi} MB at once, {Readers} readers each");
        for (var i = 0; i < pulled.Length; i++)
            Assert.Equal((blobs[i % Layers].Digest, blobs[i % Layers].Length), pulled[i]);
        Assert.True(peak < MostResidentBytes, $"The proxy held {peak / Mebi} MB.");
    }
}
