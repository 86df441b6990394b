using System.Globalization;
using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests.Proxies;

/// <summary>kill -9 of a proxy while it evicts.</summary>
public sealed class KilledEvictionTests(ITestOutputHelper output)
{
    private const string Repository = "team/app";
    private const int Images = 24;
    private const int LayerBytes = 400_000;
    private const long MaxBytes = 8 * LayerBytes;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private static int Kills => Programs.FullSizes ? 40 : 5;

    [Fact]
    public async Task Nothing_that_is_linked_is_gone_the_size_is_kept_and_no_object_is_left_over()
    {
        using var origin = new WorkFolder("upstream");
        using var data = new WorkFolder("proxy");
        await using var upstream = await RegistryProcess.StartAsync(origin.Path);
        var images = await PushAsync(upstream);
        var blobs = images.SelectMany(image => image.Layers.Append(image.Config)).Distinct().ToList();
        var mounted = new HashSet<GeneratedContent>();
        var evictions = 0;

        for (var kill = 0; kill < Kills; kill++)
        {
            await using (var proxy = await StartAsync(data, upstream))
            {
                evictions += await PullUntilKilledAsync(proxy, data, images, mounted, removals: 1 + (kill % 4), seed: kill);
            }

            await using var asItIs = await StartAsync(data, upstream, ("Offline", "true"), ("MaxBytes", "0"));
            await ExpectWhatIsThereAsync(asItIs, blobs, mounted);
        }

        output.WriteLine($"measured: {Kills} kills, {evictions} of them right behind an eviction, {mounted.Count} blobs mounted");
        Assert.True(evictions >= Kills / 2, $"Only {evictions} of {Kills} kills came behind an eviction.");
        await upstream.StopAsync();
        Age(data);
        await using var last = await StartAsync(data, upstream, ("Offline", "true"));
        using var client = new PlainClient(last.Address);
        using var deadline = new CancellationTokenSource(Patience);
        IReadOnlyCollection<GeneratedContent> cached;
        string[] files;
        do
        {
            Assert.False(deadline.IsCancellationRequested, $"After {Patience} there is still something left over.");
            await Task.Delay(1000);
            cached = await ExpectWhatIsThereAsync(last, blobs, mounted);
            files = [.. Files(data).Select(file => $"sha256:{Path.GetFileName(file).Split('.')[0]}").Order(StringComparer.Ordinal)];
        }
        while (!files.SequenceEqual(cached.Concat(mounted).Select(blob => blob.Digest).Distinct().Order(StringComparer.Ordinal)));

        Assert.InRange(cached.Sum(blob => blob.Length), 1, MaxBytes);
        await last.StopAsync();
    }

    private static async Task<Image[]> PushAsync(RegistryProcess upstream)
    {
        using var publisher = new PlainClient(upstream.Address);
        var shared = new GeneratedContent(1_000_000, LayerBytes);
        await publisher.PushAsync(Repository, shared, PushWay.Post);
        var images = new List<Image>();
        for (var number = 0; number < Images; number++)
        {
            var (config, layer) = (new GeneratedContent(number * 2, 500), new GeneratedContent((number * 2) + 1, LayerBytes));
            await publisher.PushAsync(Repository, config, PushWay.Post);
            await publisher.PushAsync(Repository, layer, PushWay.Post);
            GeneratedContent[] layers = number % 3 == 0 ? [layer, shared] : [layer];
            await publisher.PutManifestAsync(Repository, $"v{number}", PlainClient.Manifest(config, layers));
            images.Add(new($"v{number}", config, layers));
        }

        return [.. images];
    }

    // What a client is told to be there, it gets, whole. The blobs that are cached.
    private static async Task<IReadOnlyCollection<GeneratedContent>> ExpectWhatIsThereAsync(
        RegistryProcess proxy, IReadOnlyCollection<GeneratedContent> blobs, IReadOnlySet<GeneratedContent> mounted)
    {
        using var client = new PlainClient(proxy.Address);
        foreach (var blob in mounted)
            Assert.Equal((blob.Digest, blob.Length), await client.PullBlobAsync("local/app", blob.Digest));
        var cached = new List<GeneratedContent>();
        foreach (var blob in blobs)
        {
            var isThere = await client.HasBlobAsync($"hub/{Repository}", blob.Digest);
            if (await client.PullBlobAsync($"hub/{Repository}", blob.Digest) is { } pulled)
            {
                Assert.Equal((blob.Digest, blob.Length), pulled);
                cached.Add(blob);
            }
            else if (isThere)
            {
                // Only an eviction in between may have taken it.
                Assert.False(await client.HasBlobAsync($"hub/{Repository}", blob.Digest), $"{blob.Digest} is gone.");
            }
        }

        return cached;
    }

    // Kills the proxy as soon as so many cached files have gone; whether they have.
    private static async Task<int> PullUntilKilledAsync(
        RegistryProcess proxy, WorkFolder data, Image[] images, HashSet<GeneratedContent> mounted, int removals, int seed)
    {
        using var end = new CancellationTokenSource(Patience);
        var pulling = Enumerable.Range(0, 3).Select(puller => PullAsync(new Random((seed * 10) + puller))).ToList();
        var (seen, gone) = (new HashSet<string>(StringComparer.Ordinal), 0);
        while (gone < removals && !end.IsCancellationRequested)
        {
            var there = Files(data).ToHashSet(StringComparer.Ordinal);
            gone += seen.Count(file => !there.Contains(file));
            seen = there;
        }

        proxy.KillAbruptly();
        await end.CancelAsync();
        await Task.WhenAll(pulling);
        return gone >= removals ? 1 : 0;

        async Task PullAsync(Random random)
        {
            using var client = new PlainClient(proxy.Address);
            using var http = new HttpClient();
            try
            {
                while (!end.IsCancellationRequested)
                {
                    var image = images[random.Next(images.Length)];
                    await client.PullManifestAsync($"hub/{Repository}", image.Tag);
                    foreach (var blob in image.Layers.Append(image.Config))
                        Assert.Equal((blob.Digest, blob.Length), await client.PullBlobAsync($"hub/{Repository}", blob.Digest));
                    if (random.Next(10) > 0 || mounted.Count >= 4)
                        continue;
                    using var answer = await http.PostAsync(
                        new Uri(proxy.Address, $"/v2/local/app/blobs/uploads/?mount={image.Config.Digest}&from=hub/{Repository}"), null);
                    if (answer.StatusCode != System.Net.HttpStatusCode.Created)
                        continue;
                    lock (mounted)
                        mounted.Add(image.Config);
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                // It was killed.
            }
        }
    }

    // Hours pass. What a process has left at the worst moment lies beside what is in use.
    private static void Age(WorkFolder data)
    {
        var some = Files(data).First();
        File.Copy(some, $"{some[..some.LastIndexOf('.')]}.{Guid.NewGuid():D}");
        foreach (var file in Files(data))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-2));
    }

    private static IEnumerable<string> Files(WorkFolder data)
        => new DirectoryInfo(Path.Combine(data.Path, "blobs", "proxied")) is { Exists: true } folder
            ? folder.EnumerateFiles("*", SearchOption.AllDirectories).Select(file => file.FullName).ToList()
            : [];

    private static Task<RegistryProcess> StartAsync(
        WorkFolder data, RegistryProcess upstream, params (string Key, string Value)[] others)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Registry:Registries:default:Path"] = "",
            ["Registry:Registries:hub:Kind"] = "Proxy",
            ["Registry:Registries:hub:Path"] = "hub",
            ["Registry:Registries:hub:Upstream"] = upstream.Address.GetLeftPart(UriPartial.Authority),
            ["Registry:Registries:hub:MaxBytes"] = MaxBytes.ToString(CultureInfo.InvariantCulture),
        };
        foreach (var (key, value) in others)
            settings[$"Registry:Registries:hub:{key}"] = value;
        return RegistryProcess.StartAsync(data.Path, listen: LoopbackPort.OwnAddress(), settings: settings);
    }

    private sealed record Image(string Tag, GeneratedContent Config, GeneratedContent[] Layers);
}
