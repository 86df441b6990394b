using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Registry.Application.Blobs;
using Registry.Application.Proxies;
using Registry.Application.Stores;
using Registry.Domain.Blobs;
using Registry.Domain.Repositories;

namespace Registry.Web.Tests.Proxies;

/// <summary>R-9, R-26: a proxy holds no more than it may, and what was not pulled for longest goes.</summary>
public sealed class CacheSizeTests : IAsyncLifetime
{
    private const int LayerBytes = 60_000;
    private const int MaxBytes = 300_000; // four images, and room that is not enough for another one

    private static readonly RegistryName Hub = RegistryName.Parse("hub");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _name = $"team/x{Guid.NewGuid():N}";
    private RegistryFactory _upstream = null!;

    public async Task InitializeAsync() => _upstream = await RegistryFactory.StartAsync();

    public Task DisposeAsync() => _upstream.DisposeAsync();

    [Fact(DisplayName = "R-9 Beyond the size, images go in the order in which they were last pulled, and can be pulled again")]
    public async Task Order()
    {
        var images = await PushAsync(6);
        await using var proxy = await StartProxyAsync();
        foreach (var image in images[..4])
            await PullAsync(proxy, image);
        await PullManifestAsync(proxy, images[0]);

        await PullAsync(proxy, images[4]);
        await PullAsync(proxy, images[5]);

        await ExpectTagsAsync(proxy, "v0", "v3", "v4", "v5");
        Assert.InRange(await MeasureAsync(proxy), 4 * LayerBytes, MaxBytes);
        await PullAsync(proxy, images[1]);
        await ExpectTagsAsync(proxy, "v0", "v1", "v4", "v5");
    }

    [Fact(DisplayName = "R-9 What is pinned stays, and what it refers to")]
    public async Task Pins()
    {
        var images = await PushAsync(6);
        await using var proxy = await StartProxyAsync(
            ("Registries:hub:Pinned:0", "team/*:v0"), ("Registries:hub:Pinned:1", "team/*:*2"));
        foreach (var image in images)
            await PullAsync(proxy, image);
        await ExpectTagsAsync(proxy, "v0", "v2", "v4", "v5");
        await _upstream.DisposeAsync();

        await PullAsync(proxy, images[0]);
        await PullAsync(proxy, images[2]);
    }

    [Fact(DisplayName = "An index goes with its images, and comes again with them")]
    public async Task Index()
    {
        var images = await PushAsync(4);
        var index = ManifestBuilder.Index(images[0].Manifest).Build();
        await _upstream.Client.PushManifestAsync(_name, "all", index);
        await using var proxy = await StartProxyAsync();
        (await proxy.Client.GetAsync($"/v2/hub/{_name}/manifests/all")).Expect(200);
        await PullAsync(proxy, images[0], images[0].Manifest.Digest);
        foreach (var image in images[1..])
            await PullAsync(proxy, image);
        Assert.Equal(["all", "v1", "v2", "v3"], await TagsAsync(proxy));

        await PullAsync(proxy, (await PushAsync(1, from: 9))[0]);

        await ExpectTagsAsync(proxy, "v1", "v2", "v3", "v9");
        Assert.Equal(index.Bytes, (await proxy.Client.GetAsync($"/v2/hub/{_name}/manifests/all")).Expect(200).Body);
        await PullAsync(proxy, images[0], images[0].Manifest.Digest);
    }

    [Fact(DisplayName = "A blob that a hosted repository shares stays with it, bytes and all")]
    public async Task Shared()
    {
        var images = await PushAsync(6);
        await using var proxy = await StartProxyAsync();
        await PullAsync(proxy, images[0]);
        var layer = images[0].Layer;
        await FindAsync(proxy, layer);
        (await proxy.Client.PostAsync($"/v2/{_name}/blobs/uploads/?mount={layer.Digest}&from=hub/{_name}")).Expect(201);

        foreach (var image in images[1..])
            await PullAsync(proxy, image);

        await ExpectTagsAsync(proxy, "v2", "v3", "v4", "v5");
        Assert.Equal(layer.Bytes, (await proxy.Client.GetAsync($"/v2/{_name}/blobs/{layer.Digest}")).Expect(200).Body);
        await PullAsync(proxy, images[0]);
    }

    [Fact(DisplayName = "A blob that is larger than the whole cache is delivered, and goes then")]
    public async Task Too_large()
    {
        var large = await _upstream.Client.PushBlobAsync(_name, TestContent.Random(MaxBytes * 2));
        await using var proxy = await StartProxyAsync();

        for (var time = 0; time < 2; time++)
        {
            Assert.Equal(large.Bytes, (await proxy.Client.GetAsync($"/v2/hub/{_name}/blobs/{large.Digest}")).Expect(200).Body);
            await WaitAsync(proxy, async () => await MeasureAsync(proxy) == 0);
        }
    }

    [Fact(DisplayName = "A size of one byte empties a cache, and what a hosted repository shares stays")]
    public async Task Emptied()
    {
        using var data = new TemporaryFolder();
        var image = await FillAsync(data);

        await using var proxy = await StartProxyAsync(
            ("Data", data.Path), ("Registries:hub:MaxBytes", "1"), ("Registries:hub:Offline", "true"));

        await WaitAsync(proxy, async () =>
        {
            var metrics = (await proxy.Client.GetAsync("/metrics")).Expect(200).Text;
            return metrics.Contains("registry_proxy_cached_bytes{registry=\"hub\"} 0\n", StringComparison.Ordinal)
                && (await CachedAsync(proxy)).SequenceEqual([image.Layer.Digest]);
        });
        Assert.Empty(await TagsAsync(proxy));
        Assert.Equal(image.Layer.Bytes, (await proxy.Client.GetAsync($"/v2/{_name}/blobs/{image.Layer.Digest}")).Expect(200).Body);
    }

    [Fact(DisplayName = "A proxy that was taken out with its cache is in no list, and its bytes stay until it is there again")]
    public async Task Taken_out()
    {
        using var data = new TemporaryFolder();
        var image = await FillAsync(data);
        string[] cached;
        await using (var registry = await RegistryFactory.StartAsync(("Data", data.Path)))
        {
            await registry.Client.PushManifestAsync(_name, "own", ManifestBuilder.Image(image.Layer).Build());
            Assert.Equal(
                [_name],
                (await registry.Client.GetAsync("/v2/_catalog")).Expect(200).Json.GetProperty("repositories").EnumerateArray().Select(name => name.GetString()));
            (await registry.Client.GetAsync($"/v2/hub/{_name}/tags/list")).Expect(404);
            cached = await CachedAsync(registry);
            Assert.Contains(image.Config.Digest, cached);
        }

        await using var proxy = await StartProxyAsync(("Data", data.Path), ("Registries:hub:Offline", "true"));
        Assert.Equal(cached, await CachedAsync(proxy));
        await PullAsync(proxy, image);
    }

    [Fact(DisplayName = "Who asks just when a blob is evicted gets it all the same")]
    public async Task Race()
    {
        var images = await PushAsync(8);
        await using var proxy = await StartProxyAsync(("Registries:hub:MaxBytes", $"{2 * LayerBytes}"));
        using var enough = new CancellationTokenSource();
        var keeping = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
                await MeasureAsync(proxy);
        });

        await Task.WhenAll(Enumerable.Range(0, 4).Select(client => Task.Run(async () =>
        {
            var random = new Random(client);
            for (var step = 0; step < 30; step++)
                await PullAsync(proxy, images[random.Next(images.Length)]);
        })));

        await enough.CancelAsync();
        await keeping.WaitAsync(Patience);
        await WaitAsync(proxy, async () => await MeasureAsync(proxy) <= 2 * LayerBytes);
    }

    [Fact(DisplayName = "What is cached has a place of its own, also when it is pushed later, and gone bytes are fetched again")]
    public async Task Places()
    {
        var image = (await PushAsync(1))[0];
        await using var proxy = await StartProxyAsync();
        await PullAsync(proxy, image);
        var store = proxy.Services.GetRequiredService<IBlobStores>().Find("default")!;
        var cached = await FindAsync(proxy, image.Layer);
        Assert.True(store.IsCached(cached.Digest, cached.Location));

        await store.RemoveCachedAsync(cached.Digest, cached.Location, CancellationToken.None);
        await PullAsync(proxy, image);

        var again = await FindAsync(proxy, image.Layer);
        Assert.NotEqual(cached.Location, again.Location);
        await proxy.Client.PushBlobAsync(_name, image.Layer);
        Assert.False(store.IsCached(cached.Digest, (await FindAsync(proxy, image.Layer)).Location));
        await store.RemoveCachedAsync(cached.Digest, again.Location, CancellationToken.None);
        await PullAsync(proxy, image);
    }

    [Fact(DisplayName = "What a cache holds and what was evicted is measured")]
    public async Task Metrics()
    {
        var images = await PushAsync(6);
        await using var proxy = await StartProxyAsync();
        foreach (var image in images)
            await PullAsync(proxy, image);
        await ExpectTagsAsync(proxy, "v2", "v3", "v4", "v5");

        await WaitAsync(proxy, async () =>
        {
            var metrics = (await proxy.Client.GetAsync("/metrics")).Expect(200).Text;
            return metrics.Contains("registry_proxy_cached_bytes{registry=\"hub\"} 24", StringComparison.Ordinal)
                && metrics.Contains("registry_proxy_evicted_manifests_total{registry=\"hub\"} 2", StringComparison.Ordinal)
                && metrics.Contains("registry_proxy_evicted_bytes_total{registry=\"hub\"} 12", StringComparison.Ordinal);
        });
    }

    private Task<RegistryFactory> StartProxyAsync(params (string, string?)[] others)
    {
        (string, string?)[] settings =
        [
            ("Registries:hub:Kind", "Proxy"), ("Registries:hub:Path", "hub"),
            ("Registries:hub:Upstream", _upstream.Address.GetLeftPart(UriPartial.Authority)),
            ("Registries:hub:MaxBytes", $"{MaxBytes}"), ("Registries:default:Path", ""), .. others,
        ];
        return RegistryFactory.StartAsync([.. settings.GroupBy(setting => setting.Item1).Select(setting => setting.Last())]);
    }

    // A cache with an index and three images; the layer of the first is mounted into a hosted repository.
    private async Task<Image> FillAsync(TemporaryFolder data)
    {
        var images = await PushAsync(3);
        await _upstream.Client.PushManifestAsync(_name, "all", ManifestBuilder.Index(images[0].Manifest).Build());
        await using var proxy = await StartProxyAsync(("Data", data.Path));
        (await proxy.Client.GetAsync($"/v2/hub/{_name}/manifests/all")).Expect(200);
        foreach (var image in images)
        {
            await PullAsync(proxy, image);
            await FindAsync(proxy, image.Config);
            await FindAsync(proxy, image.Layer);
        }

        var mount = $"/v2/{_name}/blobs/uploads/?mount={images[0].Layer.Digest}&from=hub/{_name}";
        (await proxy.Client.PostAsync(mount)).Expect(201);
        return images[0];
    }

    // The digests of what the store has of upstreams.
    private static async Task<string[]> CachedAsync(RegistryFactory registry)
        => await registry.Services.GetRequiredService<IBlobStores>().Find("default")!
            .ListCachedAsync(DateTimeOffset.UtcNow.AddDays(2), CancellationToken.None) // servers may date an object by its begin
            .Select(place => place.Digest.ToString()).Order(StringComparer.Ordinal).ToArrayAsync();

    private async Task<Image[]> PushAsync(int count, int from = 0)
    {
        var images = new List<Image>();
        for (var number = from; number < from + count; number++)
        {
            var config = await _upstream.Client.PushBlobAsync(_name, TestContent.Config());
            var layer = await _upstream.Client.PushBlobAsync(_name, TestContent.Layer(LayerBytes));
            var manifest = ManifestBuilder.Image(config, layer).Build();
            await _upstream.Client.PushManifestAsync(_name, $"v{number}", manifest);
            images.Add(new($"v{number}", manifest, config, layer));
        }

        return [.. images];
    }

    private async Task PullAsync(RegistryFactory proxy, Image image, string? reference = null)
    {
        await PullManifestAsync(proxy, image, reference);
        foreach (var blob in new[] { image.Config, image.Layer })
            Assert.Equal(blob.Bytes, (await proxy.Client.GetAsync($"/v2/hub/{_name}/blobs/{blob.Digest}")).Expect(200).Body);
    }

    private async Task PullManifestAsync(RegistryFactory proxy, Image image, string? reference = null)
        => Assert.Equal(
            image.Manifest.Bytes,
            (await proxy.Client.GetAsync($"/v2/hub/{_name}/manifests/{reference ?? image.Tag}")).Expect(200).Body);

    // A client has all bytes a moment before the blob is kept.
    private async Task<StoredBlob> FindAsync(RegistryFactory proxy, TestContent blob)
    {
        var repository = new RepositoryIdentity(Hub, RepositoryName.Parse(_name));
        StoredBlob? found = null;
        await WaitAsync(proxy, async () => (found = await proxy.Services.GetRequiredService<IBlobLinks>()
            .FindAsync(repository, Digest.Parse(blob.Digest), CancellationToken.None)) is not null);
        return found!;
    }

    // Evicts too, if there is too much.
    private static async Task<long> MeasureAsync(RegistryFactory proxy)
    {
        var kept = await proxy.Services.GetRequiredService<IMediator>().Send(new EvictCachedCommand(Hub));
        Assert.True(kept.TryGet(out var state, out _));
        return state.Bytes;
    }

    private async Task ExpectTagsAsync(RegistryFactory proxy, params string[] tags)
        => await WaitAsync(proxy, async () => (await TagsAsync(proxy)).SequenceEqual(tags));

    private async Task WaitAsync(RegistryFactory proxy, Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (!await condition())
        {
            Assert.False(
                deadline.IsCancellationRequested, $"Not so after {Patience}; cached are {string.Join(' ', await TagsAsync(proxy))}.");
            await Task.Delay(50);
        }
    }

    private async Task<string[]> TagsAsync(RegistryFactory proxy)
    {
        var answer = await proxy.Client.GetAsync($"/v2/hub/{_name}/tags/list");
        return answer.Status == 404 ? []
            : [.. answer.Expect(200).Json.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!)];
    }

    private sealed record Image(string Tag, TestContent Manifest, TestContent Config, TestContent Layer);
}
