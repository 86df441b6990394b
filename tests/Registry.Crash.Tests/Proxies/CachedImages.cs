using System.Collections.Concurrent;
using System.Globalization;
using Registry.Testing.Processes;

namespace Registry.Crash.Tests.Proxies;

/// <summary>
/// Images of an upstream, more than the proxy <c>hub</c> holds, and what is mounted from there into a hosted repository.
/// </summary>
internal sealed class CachedImages
{
    public const long MaxBytes = 8 * LayerBytes;

    private const int Images = 24;
    private const int LayerBytes = 400_000;
    private const int MostMounts = 8;
    private const string Upstream = "team/app";
    private const string Proxied = $"hub/{Upstream}";
    private const string Hosted = "local/app";

    private readonly List<Image> _images = [];
    private readonly List<GeneratedContent> _blobs = [];
    private readonly ConcurrentDictionary<GeneratedContent, bool> _mounted = new();

    public static async Task<CachedImages> PushAsync(RegistryProcess upstream)
    {
        using var publisher = new PlainClient(upstream.Address);
        var pushed = new CachedImages();
        var shared = new GeneratedContent(1_000_000, LayerBytes);
        await PushBlobAsync(shared);
        for (var number = 0; number < Images; number++)
        {
            var (config, layer) = (new GeneratedContent(number * 2, 500), new GeneratedContent((number * 2) + 1, LayerBytes));
            await PushBlobAsync(config);
            await PushBlobAsync(layer);
            GeneratedContent[] layers = number % 3 == 0 ? [layer, shared] : [layer];
            var image = new Image($"v{number}", PlainClient.Manifest(config, layers), [config, .. layers]);
            await publisher.PutManifestAsync(Upstream, image.Tag, image.Manifest);
            pushed._images.Add(image);
        }

        return pushed;

        async Task PushBlobAsync(GeneratedContent blob)
        {
            await publisher.PushAsync(Upstream, blob, PushWay.Post);
            pushed._blobs.Add(blob);
        }
    }

    /// <summary>Settings of a server whose <c>hub</c> is a proxy of this upstream and has such a size.</summary>
    public static Dictionary<string, string> Settings(RegistryProcess upstream, long maxBytes, bool offline)
        => new(StringComparer.Ordinal)
        {
            ["Registry:Registries:default:Path"] = "",
            ["Registry:Registries:hub:Kind"] = "Proxy",
            ["Registry:Registries:hub:Path"] = "hub",
            ["Registry:Registries:hub:Upstream"] = upstream.Address.GetLeftPart(UriPartial.Authority),
            ["Registry:Registries:hub:MaxBytes"] = maxBytes.ToString(CultureInfo.InvariantCulture),
            ["Registry:Registries:hub:Offline"] = offline.ToString(),
        };

    /// <summary>Pulls one image after the other, and mounts some of their blobs.</summary>
    /// <param name="end">From then on the server may be killed.</param>
    public async Task PullAsync(Uri proxy, int seed, CancellationToken end)
    {
        var random = new Random(seed);
        using var client = new PlainClient(proxy);
        try
        {
            for (var number = 0; !end.IsCancellationRequested; number++)
            {
                var image = _images[random.Next(_images.Count)];
                await PullAsync(client, image);
                var blob = image.Blobs[number % 2];
                if (number % 5 == 0 && _mounted.Count < MostMounts && await client.MountAsync(Hosted, blob.Digest, from: Proxied))
                    _mounted[blob] = true;
            }
        }
        catch (Exception e) when (end.IsCancellationRequested && e is HttpRequestException or IOException)
        {
            // It was killed.
        }
    }

    /// <summary>Each image that a node without an upstream has the manifest of is there for whoever pulls it.</summary>
    /// <returns>How many those are.</returns>
    public async Task<int> PullWhatIsThereAsync(Uri offline, Uri proxy)
    {
        using var asked = new PlainClient(offline);
        using var client = new PlainClient(proxy);
        var there = 0;
        foreach (var image in _images)
        {
            if (!await asked.HasManifestAsync(Proxied, image.Tag))
                continue;
            await PullAsync(client, image);
            there++;
        }

        return there;
    }

    /// <summary>What a client of a node without an upstream is told to be there, it gets, whole.</summary>
    /// <param name="evicts">Whether what is cached may go between two requests; what was mounted may not.</param>
    public async Task<Found> ExpectWhatIsThereAsync(Uri offline, bool evicts)
    {
        using var client = new PlainClient(offline);
        var hosted = await ExpectBlobsAsync(client, Hosted, mayGo: false);
        Assert.Subset(hosted.ToHashSet(), _mounted.Keys.ToHashSet());
        long manifestBytes = 0;
        foreach (var image in _images)
        {
            if (!await client.HasManifestAsync(Proxied, image.Tag))
                continue;
            var manifest = await client.PullManifestAsync(Proxied, image.Tag);
            if (manifest is null && evicts)
                continue;
            Assert.Equal(image.Manifest, manifest);
            manifestBytes += image.Manifest.Length;
        }

        return new(await ExpectBlobsAsync(client, Proxied, mayGo: evicts), hosted, manifestBytes);
    }

    /// <summary>Returns when so many of the blobs that a node without an upstream had have gone.</summary>
    public async Task WatchEvictionsAsync(Uri offline, int evictions, TimeSpan patience)
    {
        using var client = new PlainClient(offline);
        using var deadline = new CancellationTokenSource(patience);
        var seen = new HashSet<GeneratedContent>();
        for (var gone = 0; gone < evictions;)
        {
            Assert.False(deadline.IsCancellationRequested, $"After {patience} only {gone} blobs were evicted.");
            foreach (var blob in _blobs)
            {
                if (await client.HasBlobAsync(Proxied, blob.Digest))
                    seen.Add(blob);
                else if (seen.Remove(blob) && ++gone == evictions)
                    break;
            }
        }
    }

    private static async Task PullAsync(PlainClient client, Image image)
    {
        Assert.Equal(image.Manifest, await client.PullManifestAsync(Proxied, image.Tag));
        foreach (var blob in image.Blobs)
            Assert.Equal((blob.Digest, blob.Length), await client.PullBlobAsync(Proxied, blob.Digest));
    }

    private async Task<List<GeneratedContent>> ExpectBlobsAsync(PlainClient client, string repository, bool mayGo)
    {
        var there = new List<GeneratedContent>();
        foreach (var blob in _blobs)
        {
            // In this order: a GET that finds nothing has told the database, and HEAD says so, too.
            if (!await client.HasBlobAsync(repository, blob.Digest))
                continue;
            var pulled = await client.PullBlobAsync(repository, blob.Digest);
            if (pulled is null && mayGo)
                continue;
            Assert.True((blob.Digest, blob.Length) == pulled, $"{repository} has {blob}, and sends {pulled}.");
            there.Add(blob);
        }

        return there;
    }

    /// <param name="Cached">The blobs that the proxy has.</param>
    /// <param name="Hosted">Those that the hosted repository has.</param>
    public sealed record Found(IReadOnlyList<GeneratedContent> Cached, IReadOnlyList<GeneratedContent> Hosted, long ManifestBytes)
    {
        /// <summary>What the proxy holds.</summary>
        public long Bytes => ManifestBytes + Cached.Sum(blob => blob.Length);
    }

    /// <param name="Blobs">The config, then the layers.</param>
    private sealed record Image(string Tag, byte[] Manifest, GeneratedContent[] Blobs);
}
