using System.Collections.Concurrent;
using NSubstitute;
using Registry.Application.GarbageCollection;
using Registry.Application.Manifests;
using Registry.Application.Proxies;
using Registry.Application.Referrers;
using Registry.Application.Stores;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Database;
using static Registry.Infrastructure.Tests.Database.Samples;

namespace Registry.Infrastructure.Tests.Database;

public sealed class SqliteCachedContentTests : CachedContentContract<SqliteTestDatabase>;

public sealed class PostgreSqlCachedContentTests : CachedContentContract<PostgreSqlTestDatabase>;

public abstract class CachedContentContract<TDatabase> : MetadataContract<TDatabase>
    where TDatabase : TestDatabase, new()
{
    private static readonly RegistryName HubName = RegistryName.Parse("hub");
    private static readonly RepositoryIdentity Hub = Repository("team/app", "hub");
    private static readonly RepositoryIdentity HubOther = Repository("team/other", "hub");

    private int _arrivals;

    private CachedContent Content { get; set; } = null!;

    private protected override CountingDatabase Share(Infrastructure.Database.RegistryDatabase database)
    {
        var counting = base.Share(database);
        var store = Substitute.For<IBlobStore>();
        store.IsCached(default!, default!).ReturnsForAnyArgs(call => call.Arg<string>().StartsWith("cached/", StringComparison.Ordinal));
        var stores = Substitute.For<IBlobStores>();
        stores.Find("main").Returns(store);
        Content = new(counting, new(new GarbageCollectionOptions { Lease = Lease }), stores);
        return counting;
    }

    [Fact]
    public async Task What_was_fetched_is_there_and_where_the_store_has_it_already_it_stays_where_it_is()
    {
        var first = Arrival("layer");
        Assert.True(await AddAsync(Hub, first));
        Assert.False(await AddAsync(HubOther, Arrival("layer")));

        Assert.Equal(first, await FindBlobAsync(Hub, "layer"));
        Assert.Equal(first, await FindBlobAsync(HubOther, "layer"));
        var pushed = await PushBlobAsync("layer");
        Assert.Equal(pushed with { Generation = 1 }, await FindBlobAsync(Hub, "layer"));
        Assert.False(await AddAsync(HubOther, Arrival("layer")));
    }

    [Fact]
    public async Task What_was_missing_is_where_it_was_fetched_to()
    {
        await AddAsync(Hub, Arrival("layer"));
        await Links.MarkMissingAsync((await FindBlobAsync(Hub, "layer"))!, CancellationToken.None);
        Assert.Null(await FindBlobAsync(Hub, "layer"));

        var again = Arrival("layer");
        Assert.True(await AddAsync(HubOther, again));

        Assert.Equal(again with { Generation = 1 }, await FindBlobAsync(Hub, "layer"));
    }

    [Fact]
    public async Task Who_misses_a_blob_that_was_evicted_and_fetched_again_does_not_mark_the_new_one()
    {
        await FetchAsync(Hub, "image", "layer");
        var before = await FindBlobAsync(Hub, "layer");
        await EvictAsync(Assert.Single(await ListAsync()));
        await FetchAsync(Hub, "image", "layer");

        await Links.MarkMissingAsync(before!, CancellationToken.None);

        Assert.NotNull(await FindBlobAsync(Hub, "layer"));
    }

    [Fact]
    public async Task A_registry_holds_its_manifests_and_each_blob_once()
    {
        Assert.Equal(0, await Content.MeasureAsync(HubName, CancellationToken.None));
        await FetchAsync(Hub, "image", "config", "layer"); // 5 + 6 + 5
        await FetchAsync(HubOther, "another", "layer"); // 7
        await PushBlobAsync("of the hosted registry");
        await AddAsync(Hub, Arrival("lost"));
        await Links.MarkMissingAsync((await FindBlobAsync(Hub, "lost"))!, CancellationToken.None);

        Assert.Equal(23, await Content.MeasureAsync(HubName, CancellationToken.None));
    }

    [Fact]
    public async Task What_was_not_pulled_for_longest_comes_first_and_children_do_not_come_by_themselves()
    {
        var old = await FetchAsync(Hub, "old", "layer");
        var child = await FetchAsync(Hub, "child", "layer");
        var index = await KeepAsync(Index("index", child.Digest).Tagged("v1", "v2").In(Hub));
        Time.Advance(TimeSpan.FromMinutes(1));
        await AddAsync(HubOther, Arrival("loose"));
        await PushBlobAsync("of the hosted registry");
        await PushAsync(Plain("hosted"));
        Time.Advance(TimeSpan.FromMinutes(1));
        await MarkPulledAsync(old, TimeSpan.Zero);

        var items = await ListAsync();

        Assert.Equal(
            [index.Digest, DigestOf("loose"), old.Digest], items.Select(item => item.Digest));
        Assert.Equal([true, false, true], items.Select(item => item.IsManifest));
        Assert.Equal(["v1", "v2"], items[0].Tags);
        Assert.Equal([Hub, HubOther, Hub], items.Select(item => item.Repository));
        Assert.Equal(TimeSpan.FromMinutes(2), TimeSpan.FromMilliseconds(items[2].UsedAt - items[0].UsedAt));
        Assert.Equal(
            items.Select(item => item.Digest), (await ListAsync(limit: 1)).Select(item => item.Digest));
    }

    [Fact]
    public async Task Items_of_one_moment_have_an_order_and_pages_lose_none()
    {
        for (var number = 0; number < 20; number++)
            await FetchAsync(number % 2 == 0 ? Hub : HubOther, $"image {number}", $"layer {number}");
        for (var number = 0; number < 5; number++)
            await AddAsync(Hub, Arrival($"loose {number}"));

        var whole = await ListAsync();

        Assert.Equal(25, whole.Count);
        Assert.Equal(whole.Select(item => item.Digest), (await ListAsync(limit: 3)).Select(item => item.Digest));
        Assert.All(whole.Zip(whole.Skip(1)), pair => Assert.True(pair.First.IsUpTo(pair.Second) && !pair.Second.IsUpTo(pair.First)));
    }

    [Fact]
    public async Task What_was_pulled_later_stays_later_and_what_is_gone_is_left_out()
    {
        var (one, two) = (await FetchAsync(Hub, "one", "a"), await FetchAsync(Hub, "two", "b"));
        Time.Advance(TimeSpan.FromHours(1));
        await MarkPulledAsync(one, TimeSpan.FromMinutes(1));
        await MarkPulledAsync(two, TimeSpan.FromMinutes(2));
        await MarkPulledAsync(one, TimeSpan.FromMinutes(3)); // another node, which was slow
        await MarkPulledAsync(Plain("gone").In(Hub), TimeSpan.Zero);
        await MarkPulledAsync(one with { Repository = Repository("unknown", "hub") }, TimeSpan.Zero);

        Assert.Equal([two.Digest, one.Digest], (await ListAsync()).Select(item => item.Digest));
    }

    [Fact]
    public async Task An_evicted_image_leaves_nothing_behind()
    {
        var image = await FetchAsync(Hub, "image", ["config", "layer"], "v1", "latest");
        await new ProxyCache(Database).KeepReferrersAsync(
            Hub, image.Digest, [new Referrer("application/json", DigestOf("signature"), 1, null, null)], CancellationToken.None);
        var (config, layer) = (await FindBlobAsync(Hub, "config"), await FindBlobAsync(Hub, "layer"));

        var evicted = await EvictAsync(Assert.Single(await ListAsync()));

        Assert.Equal((16, 1), (evicted!.Bytes, evicted.Manifests));
        Assert.Equal(
            new[] { config!, layer! }.OrderBy(blob => blob.Location, StringComparer.Ordinal),
            evicted.Removable.OrderBy(blob => blob.Location, StringComparer.Ordinal));
        Assert.Empty(evicted.Released);
        Assert.Equal(
            "0 0 0 0 0 0 0",
            await CountsAsync("manifests", "manifest_blobs", "tags", "tag_history", "proxied_referrers", "repository_blobs", "blobs"));
        Assert.Equal(0, await Content.MeasureAsync(HubName, CancellationToken.None));
        await FetchAsync(Hub, "image", ["config", "layer"], "v1");
        Assert.NotNull(await FindAsync("v1", Hub));
    }

    [Fact]
    public async Task What_others_share_stays()
    {
        await FetchAsync(Hub, "image", "alone", "same repository", "same registry", "hosted", "pushed");
        await FetchAsync(Hub, "another", "same repository");
        await FetchAsync(HubOther, "elsewhere", "same registry");
        Assert.True(await Links.MountAsync(Hub, App, DigestOf("hosted"), "main", CancellationToken.None));
        await PushBlobAsync("pushed", Other);
        Assert.True(await Links.RemoveAsync(Other, DigestOf("pushed"), CancellationToken.None));

        var evicted = await EvictAsync((await ListAsync()).Single(item => item.Digest == DigestOf("image")));

        // Neither counts what the registry has all the same, nor goes what somebody else has or what was pushed.
        Assert.Equal("image".Length + "alone".Length + "hosted".Length + "pushed".Length, evicted!.Bytes);
        Assert.Equal([DigestOf("alone")], evicted.Removable.Select(blob => blob.Digest));
        Assert.NotNull(await FindBlobAsync(Hub, "same repository"));
        Assert.NotNull(await FindBlobAsync(HubOther, "same registry"));
        Assert.NotNull(await FindBlobAsync(App, "hosted"));
        foreach (var gone in new[] { "alone", "same registry", "hosted", "pushed" })
            Assert.Null(await FindBlobAsync(Hub, gone));
        Assert.Equal(1, await ScalarAsync<long>("SELECT COUNT(*) FROM blobs WHERE location = 'at/pushed'"));
    }

    [Fact]
    public async Task What_an_evicted_index_has_referred_to_can_be_evicted_then()
    {
        var (alone, shared) = (await FetchAsync(Hub, "alone", ["a"], "one"), await FetchAsync(Hub, "shared", "b"));
        await KeepAsync(Index("index", alone.Digest, shared.Digest, DigestOf("never fetched")).In(Hub));
        Time.Advance(TimeSpan.FromMinutes(1));
        var other = await KeepAsync(Index("other", shared.Digest).In(Hub));

        var first = await EvictAsync((await ListAsync())[0]);
        var second = await EvictAsync((await ListAsync()).Single(item => item.Digest == other.Digest));

        Assert.Equal(("index".Length, 1), (first!.Bytes, first.Manifests));
        Assert.Equal((alone.Digest, "one"), (Assert.Single(first.Released).Digest, Assert.Single(first.Released[0].Tags)));
        Assert.Equal(shared.Digest, Assert.Single(second!.Released).Digest);
        Assert.NotNull(await EvictAsync(first.Released[0]));
        Assert.NotNull(await EvictAsync(second.Released[0]));
        Assert.Equal("0 0 0", await CountsAsync("manifests", "manifest_children", "blobs"));
    }

    [Fact]
    public async Task Tags_that_came_meanwhile_are_judged_too()
    {
        await FetchAsync(Hub, "image", ["layer"], "v1");
        var listed = Assert.Single(await ListAsync());
        await KeepAsync(Image("image", "layer").In(Hub).Tagged("kept"));
        IReadOnlyList<string>? judged = null;

        var evicted = await Content.EvictAsync(
            Assert.Single(await ListAsync()) with { Tags = listed.Tags }, tags => (judged = tags).Contains("kept"), CancellationToken.None);

        Assert.Null(evicted);
        Assert.Equal(["kept", "v1"], judged!);
        Assert.NotNull(await FindAsync("v1", Hub));
        Assert.NotNull(await FindBlobAsync(Hub, "layer"));
    }

    [Fact]
    public async Task What_is_not_what_it_was_stays()
    {
        var (image, child) = (await FetchAsync(Hub, "image", "layer"), await FetchAsync(Hub, "child", "layer"));
        await AddAsync(Hub, Arrival("loose"));
        await AddAsync(Hub, Arrival("renewed"));
        var items = await ListAsync();
        Time.Advance(TimeSpan.FromSeconds(1));
        await MarkPulledAsync(image, TimeSpan.Zero);
        await KeepAsync(Index("index", child.Digest).In(Hub));
        await KeepAsync(Image("late", "loose").In(Hub));
        await AddAsync(Hub, Arrival("renewed"));
        var counts = await CountsAsync("manifests", "repository_blobs", "blobs");

        Assert.Equal(4, items.Count);
        foreach (var item in items)
            Assert.Null(await EvictAsync(item));

        Assert.Equal(counts, await CountsAsync("manifests", "repository_blobs", "blobs"));
        Assert.Null(await EvictAsync(items[0] with { Repository = Repository("unknown", "hub") }));
        Assert.Null(await EvictAsync(items[0] with { Digest = DigestOf("unknown") }));
    }

    [Fact]
    public async Task A_blob_without_a_manifest_goes_by_itself()
    {
        await AddAsync(Hub, Arrival("loose"));
        await AddAsync(HubOther, Arrival("loose"));
        var items = await ListAsync();

        var first = await EvictAsync(items[0]);
        Assert.Equal((0, 0, 0), (first!.Bytes, first.Manifests, first.Removable.Count));
        Assert.Null(await Content.EvictAsync(items[1], tags => tags.Count == 0, CancellationToken.None)); // all is pinned
        var second = await EvictAsync(items[1]);

        Assert.Equal((5, 0, 1), (second!.Bytes, second.Manifests, second.Removable.Count));
        Assert.Null(await EvictAsync(items[1]));
        Assert.Equal("0 0", await CountsAsync("repository_blobs", "blobs"));
    }

    [Fact]
    public async Task Places_that_nobody_needs_are_told_from_the_others()
    {
        var (kept, lost) = (Arrival("layer"), Arrival("layer"));
        await AddAsync(Hub, kept);
        var moved = Arrival("moved");
        await AddAsync(Hub, moved);
        await PushBlobAsync("moved");
        CachedLocation[] places = [.. new[] { lost, kept, moved, Arrival("unknown") }.Select(blob => new CachedLocation(blob.Digest, blob.Location))];

        Assert.Equal(Sorted([places[0], places[2], places[3]]), Sorted(await ReleaseAsync("main", places)));
        Assert.Equal(Sorted(places), Sorted(await ReleaseAsync("cloud", places)));
        Assert.Empty(await ReleaseAsync("main", []));
        Assert.Equal(kept, await FindBlobAsync(Hub, "layer"));
    }

    [Fact]
    public async Task What_was_deleted_everywhere_is_released_and_can_be_fetched_again()
    {
        var (layer, shared) = (Arrival("layer"), Arrival("shared"));
        foreach (var blob in new[] { layer, shared })
        {
            await AddAsync(Hub, blob);
            Assert.True(await Links.MountAsync(Hub, App, blob.Digest, "main", CancellationToken.None));
            Assert.True(await Links.RemoveAsync(Hub, blob.Digest, CancellationToken.None));
        }

        Assert.True(await Links.RemoveAsync(App, layer.Digest, CancellationToken.None));
        CachedLocation[] places = [new(layer.Digest, layer.Location), new(shared.Digest, shared.Location)];

        Assert.Equal([places[0]], await ReleaseAsync("main", places));
        Assert.Equal("1 1", await CountsAsync("repository_blobs", "blobs"));
        Assert.Equal(shared, await FindBlobAsync(App, "shared"));
        Assert.True(await AddAsync(Hub, Arrival("layer")));
    }

    [Fact]
    public async Task What_was_deleted_everywhere_is_replaced_by_what_is_fetched() // it may have been deleted since it is damaged
    {
        await AddAsync(Hub, Arrival("layer"));
        Assert.True(await Links.RemoveAsync(Hub, DigestOf("layer"), CancellationToken.None));

        var again = Arrival("layer");
        Assert.True(await AddAsync(Hub, again));

        Assert.Equal(again.Location, (await FindBlobAsync(Hub, "layer"))!.Location);
    }

    [Fact]
    public async Task What_refers_to_nothing_that_is_cached_is_forgotten_after_a_while()
    {
        var (cache, cached, other) = (new ProxyCache(Database), await FetchAsync(Hub, "image", "layer"), DigestOf("elsewhere"));
        Referrer[] signature = [new("application/vnd.oci.image.manifest.v1+json", DigestOf("signature"), 7, null, null)];
        foreach (var subject in new[] { cached.Digest, other })
            await cache.KeepReferrersAsync(Hub, subject, signature, CancellationToken.None);

        await Content.ForgetReferrersAsync(TimeSpan.FromDays(1), CancellationToken.None);
        Assert.Equal("2", await CountsAsync("proxied_referrers"));
        Time.Advance(TimeSpan.FromDays(2));
        await Content.ForgetReferrersAsync(TimeSpan.FromDays(1), CancellationToken.None);

        Assert.NotNull(await cache.FindReferrersAsync(Hub, cached.Digest, CancellationToken.None));
        Assert.Null(await cache.FindReferrersAsync(Hub, other, CancellationToken.None));
    }

    [Fact]
    public async Task Whatever_is_fetched_pushed_mounted_deleted_and_evicted_at_once_nothing_that_is_linked_is_gone()
    {
        const int steps = 200;
        RepositoryIdentity[] proxied = [Hub, HubOther];
        var objects = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        var (evictions, mounts, pushes, moves, deletions) = (0, 0, 0, 0, 0);
        using var enough = new CancellationTokenSource();
        var evicting = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                foreach (var item in await Content.ListOldestAsync(HubName, null, 100, CancellationToken.None))
                {
                    if (await EvictAsync(item) is not { } evicted)
                        continue;
                    Interlocked.Increment(ref evictions);
                    foreach (var blob in evicted.Removable)
                    {
                        Assert.True(objects.TryRemove(blob.Location, out var _), $"{blob.Location} was removed twice.");
                        // As a reader does, who has found the row just before. It is another one by now.
                        await Links.MarkMissingAsync(blob, CancellationToken.None);
                    }
                }
            }
        })).ToList();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            var hosted = Repository($"hosted/{worker}");
            for (var step = 0; step < steps; step++)
            {
                // What was pushed once never goes again: after a while there are others.
                var (layer, repository) = ($"layer {step / 20}.{random.Next(4)}", proxied[random.Next(2)]);
                var arrival = Arrival(layer);
                objects[arrival.Location] = true;
                if (!await AddAsync(repository, arrival))
                    Assert.True(objects.TryRemove(arrival.Location, out var _));
                var image = Image($"image of {layer}", layer).In(repository).Tagged($"v{random.Next(2)}");
                var index = Index($"index {step / 20}", [.. Enumerable.Range(0, 4).Select(i => DigestOf($"image of layer {step / 20}.{i}"))])
                    .In(repository).Tagged("all");
                if (random.Next(2) == 0)
                    await KeepAsync(image);
                if (random.Next(6) == 0)
                    await KeepAsync(index);
                if (random.Next(2) == 0)
                    await MarkPulledAsync(random, step);
                var doomed = random.Next(4) > 0 ? image.Digest : index.Digest;
                if (random.Next(6) == 0 && await Manifests.DeleteAsync(repository, doomed, Alice, CancellationToken.None))
                    Interlocked.Increment(ref deletions);
                if (random.Next(12) == 0)
                    await PushAsync(hosted, layer);

                if (!await Links.MountAsync(repository, hosted, DigestOf(layer), "main", CancellationToken.None))
                    continue;
                Interlocked.Increment(ref mounts);
                // From now on it is there, whatever is evicted.
                for (var look = 0; look < 3; look++)
                    Assert.True(objects.ContainsKey((await FindBlobAsync(hosted, layer))!.Location));
                if (random.Next(3) > 0)
                    Assert.True(await Links.RemoveAsync(hosted, DigestOf(layer), CancellationToken.None));
            }
        })));
        await enough.CancelAsync();
        await Task.WhenAll(evicting).WaitAsync(TimeSpan.FromSeconds(60));

        foreach (var repository in proxied.Concat(Enumerable.Range(0, 4).Select(worker => Repository($"hosted/{worker}"))))
        {
            for (var layer = 0; layer < steps / 20 * 4; layer++)
            {
                var name = $"layer {layer / 4}.{layer % 4}";
                if (await FindBlobAsync(repository, name) is { } blob)
                    Assert.True(objects.ContainsKey(blob.Location), $"{name} of {repository} is gone.");
            }
        }

        Assert.Equal(0, await ScalarAsync<long>(
            """
            SELECT COUNT(*) FROM repository_blobs l
            WHERE NOT EXISTS (
                SELECT 1 FROM blobs b WHERE b.store = l.store AND b.digest = l.digest AND b.state = 'present')
            """));
        // Hardly ever: only what comes about between a lock and its write may still meet, and is repeated.
        Assert.True(Database.Deadlocks.Count < 5, string.Join("\n\n", Database.Deadlocks));
        Assert.All([evictions, mounts, pushes, moves, deletions], count => Assert.NotEqual(0, count));

        async Task PushAsync(RepositoryIdentity repository, string layer)
        {
            var before = await FindBlobAsync(Hub, layer);
            var pushed = Blob(layer);
            objects[pushed.Location] = true;
            Assert.True(await Links.AddAsync(repository, pushed, session: null, CancellationToken.None));
            Interlocked.Increment(ref pushes);
            if (before is null)
                return;
            if (before.Location != pushed.Location)
                Interlocked.Increment(ref moves);
            // The row has moved, or was at least written again.
            await Links.MarkMissingAsync(before, CancellationToken.None);
            Assert.NotNull(await FindBlobAsync(repository, layer));
        }

        Task MarkPulledAsync(Random random, int step)
        {
            lock (Time)
                Time.Advance(TimeSpan.FromMilliseconds(1));
            PulledManifest[] pulls
                = [.. Enumerable.Range(0, 8).Select(i => new PulledManifest(
                    proxied[i % 2], DigestOf($"image of layer {step / 20}.{i / 2}"), TimeSpan.Zero))];
            random.Shuffle(pulls);
            return Content.MarkPulledAsync(pulls, CancellationToken.None);
        }
    }

    private StoredBlob Arrival(string content)
        => Blob(content) with { Location = $"cached/{content}.{Interlocked.Increment(ref _arrivals)}" };

    private Task<bool> AddAsync(RepositoryIdentity repository, StoredBlob blob)
        => Links.AddCachedAsync(repository, blob, CancellationToken.None);

    private Task<StoredBlob?> FindBlobAsync(RepositoryIdentity repository, string content)
        => Links.FindAsync(repository, DigestOf(content), CancellationToken.None);

    private Task<NewManifest> FetchAsync(RepositoryIdentity repository, string content, params string[] blobs)
        => FetchAsync(repository, content, blobs, tags: []);

    private async Task<NewManifest> FetchAsync(
        RepositoryIdentity repository, string content, string[] blobs, params string[] tags)
    {
        foreach (var blob in blobs)
            await AddAsync(repository, Arrival(blob));
        return await KeepAsync(Image(content, blobs).In(repository).Tagged(tags));
    }

    private Task<NewManifest> KeepAsync(NewManifest manifest) => PushAsync(manifest with { IsCopy = true });

    private async Task<IReadOnlyList<CachedItem>> ListAsync(int limit = 1000)
    {
        var items = new List<CachedItem>();
        while (await Content.ListOldestAsync(HubName, items.LastOrDefault(), limit, CancellationToken.None) is { Count: > 0 } page)
            items.AddRange(page);
        return items;
    }

    private Task<IReadOnlyList<CachedLocation>> ReleaseAsync(string store, IReadOnlyList<CachedLocation> places)
        => Content.ReleaseUnusedAsync(store, places, CancellationToken.None);

    private static IEnumerable<CachedLocation> Sorted(IEnumerable<CachedLocation> places)
        => places.OrderBy(place => place.Location, StringComparer.Ordinal);

    private Task<EvictedItem?> EvictAsync(CachedItem item) => Content.EvictAsync(item, _ => false, CancellationToken.None);

    private Task MarkPulledAsync(NewManifest manifest, TimeSpan age)
        => Content.MarkPulledAsync([new(manifest.Repository, manifest.Digest, age)], CancellationToken.None);
}
