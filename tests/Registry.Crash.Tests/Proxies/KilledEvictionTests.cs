using Registry.Crash.Tests.Nodes;
using Registry.Testing.Processes;
using Xunit.Abstractions;

namespace Registry.Crash.Tests.Proxies;

/// <summary>kill -9 of a proxy while it evicts.</summary>
public sealed class KilledEvictionTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private static int Kills => Programs.FullSizes ? 40 : 5;

    [Fact]
    public async Task Nothing_that_is_linked_is_gone_the_size_is_kept_and_no_object_is_left_over()
    {
        using var origin = new WorkFolder("upstream");
        using var data = new WorkFolder("proxy");
        await using var upstream = await RegistryProcess.StartAsync(origin.Path);
        var images = await CachedImages.PushAsync(upstream);
        var evictions = 0;

        for (var kill = 0; kill < Kills; kill++)
        {
            await using (var proxy = await StartAsync(data, upstream, CachedImages.MaxBytes, offline: false))
                evictions += await PullUntilKilledAsync(proxy, data, images, removals: 1 + (kill % 4), seed: kill);

            await ExpectWhatIsThereAsync();
        }

        await upstream.StopAsync();
        Age(data);
        await using (var last = await StartAsync(data, upstream, CachedImages.MaxBytes, offline: true))
        {
            using var deadline = new CancellationTokenSource(Patience);
            CachedImages.Found found;
            do
            {
                Assert.False(deadline.IsCancellationRequested, $"After {Patience} there is still something left over.");
                await Task.Delay(1000);
                found = await images.ExpectWhatIsThereAsync(last.Address, evicts: true);
            }
            while (found.Bytes > CachedImages.MaxBytes || !Stored(data).SequenceEqual(Digests(found)));
            await last.StopAsync();
        }

        var end = await ExpectWhatIsThereAsync();
        Assert.InRange(end.Bytes, 1, CachedImages.MaxBytes);
        Assert.Equal(Digests(end), Stored(data));
        output.WriteLine($"measured: {Kills} kills, {evictions} of them right behind an eviction, {end.Hosted.Count} blobs mounted");
        Assert.True(evictions >= Kills / 2, $"Only {evictions} of {Kills} kills came behind an eviction.");

        // Where nothing can be evicted, nothing is lenient.
        async Task<CachedImages.Found> ExpectWhatIsThereAsync()
        {
            await using var asItIs = await StartAsync(data, upstream, maxBytes: 0, offline: true);
            var found = await images.ExpectWhatIsThereAsync(asItIs.Address, evicts: false);
            Assert.NotEmpty(found.Cached);
            Assert.NotEmpty(found.Hosted);
            await asItIs.StopAsync();
            return found;
        }
    }

    [ClusterFact]
    public async Task The_same_holds_for_nodes_that_evict_from_one_cache_in_S3()
    {
        using var origin = new WorkFolder("upstream");
        using var data = new WorkFolder("proxies");
        await File.WriteAllTextAsync(data.File("password"), "a first password");
        await using var database = await PostgreSqlProcess.StartAsync("fsync=off");
        var store = SharedS3.StoreSettings().ToArray();
        await using var upstream = await RegistryProcess.StartAsync(origin.Path);
        var images = await CachedImages.PushAsync(upstream);
        await using var watcher = await StartNodeAsync("watcher", maxBytes: 0, offline: true);

        for (var round = 0; round < Kills; round++)
        {
            await using var first = await StartNodeAsync("first", CachedImages.MaxBytes, offline: false);
            await using var second = await StartNodeAsync("second", CachedImages.MaxBytes, offline: false);
            using CancellationTokenSource endOfFirst = new(), endOfSecond = new();
            var pulling = Pull(first, round * 10, endOfFirst.Token).Concat(Pull(second, (round * 10) + 5, endOfSecond.Token)).ToList();
            await images.WatchEvictionsAsync(watcher.Address, 1 + (round % 3), Patience);
            await endOfFirst.CancelAsync();
            first.KillAbruptly();
            await images.WatchEvictionsAsync(watcher.Address, 1 + (round % 2), Patience); // the other one goes on
            await endOfSecond.CancelAsync();
            second.KillAbruptly();
            await Task.WhenAll(pulling);

            var between = await images.ExpectWhatIsThereAsync(watcher.Address, evicts: false);
            Assert.NotEmpty(between.Cached);
            Assert.NotEmpty(between.Hosted);
        }

        int whole;
        await using (var first = await StartNodeAsync("first", CachedImages.MaxBytes, offline: false))
        await using (var second = await StartNodeAsync("second", CachedImages.MaxBytes, offline: false))
        {
            using var end = new CancellationTokenSource();
            var pulling = Pull(first, 1001, end.Token).Concat(Pull(second, 1006, end.Token)).ToList();
            await images.WatchEvictionsAsync(watcher.Address, 10, Patience);
            await end.CancelAsync();
            await Task.WhenAll(pulling);
            whole = await images.PullWhatIsThereAsync(watcher.Address, second.Address);
            await first.StopAsync();
            await second.StopAsync();
        }

        // What others add, a node finds out only when it measures: at its start, or within minutes.
        await using (var last = await StartNodeAsync("first", CachedImages.MaxBytes, offline: false))
        {
            using var deadline = new CancellationTokenSource(Patience);
            while ((await images.ExpectWhatIsThereAsync(watcher.Address, evicts: true)).Bytes > CachedImages.MaxBytes)
            {
                Assert.False(deadline.IsCancellationRequested, $"After {Patience} the proxy still holds too much.");
                await Task.Delay(500);
            }

            await last.StopAsync();
        }

        var found = await images.ExpectWhatIsThereAsync(watcher.Address, evicts: false);
        Assert.InRange(found.Bytes, 1, CachedImages.MaxBytes);
        Assert.NotEqual(0, whole);
        output.WriteLine(
            $"measured: {2 * Kills} kills of nodes behind evictions, {found.Hosted.Count} blobs mounted, {found.Bytes} bytes and {whole} images left");

        IEnumerable<Task> Pull(RegistryProcess node, int seed, CancellationToken end)
            => Enumerable.Range(seed, 2).Select(puller => images.PullAsync(node.Address, puller, end));

        Task<RegistryProcess> StartNodeAsync(string name, long maxBytes, bool offline)
        {
            var settings = CachedImages.Settings(upstream, maxBytes, offline);
            settings["Registry:Database:Kind"] = "PostgreSql";
            settings["Registry:Database:ConnectionString"] = database.ConnectionString();
            settings["Registry:Access:Anonymous"] = "Push";
            settings["Registry:Access:Admin:PasswordFile"] = data.File("password");
            foreach (var (key, value) in store)
                settings[$"Registry:{key}"] = value!;
            return RegistryProcess.StartAsync(data.Folder(name), listen: LoopbackPort.OwnAddress(), settings: settings);
        }
    }

    // Kills the proxy as soon as so many cached files have gone; whether they have.
    private static async Task<int> PullUntilKilledAsync(
        RegistryProcess proxy, WorkFolder data, CachedImages images, int removals, int seed)
    {
        using CancellationTokenSource end = new(), deadline = new(Patience);
        var pulling = Enumerable.Range(0, 3).Select(puller => images.PullAsync(proxy.Address, (seed * 10) + puller, end.Token)).ToList();
        var (seen, gone) = (new HashSet<string>(StringComparer.Ordinal), 0);
        while (gone < removals && !deadline.IsCancellationRequested)
        {
            var there = Files(data).ToHashSet(StringComparer.Ordinal);
            gone += seen.Count(file => !there.Contains(file));
            seen = there;
        }

        await end.CancelAsync();
        proxy.KillAbruptly();
        await Task.WhenAll(pulling);
        return gone >= removals ? 1 : 0;
    }

    // Hours pass. What a process has left at the worst moment lies beside what is in use.
    private static void Age(WorkFolder data)
    {
        var some = Files(data).First();
        File.Copy(some, $"{some[..some.LastIndexOf('.')]}.{Guid.NewGuid():D}");
        foreach (var file in Files(data))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-2));
    }

    // One for each file: a digest that is there twice comes twice.
    private static IEnumerable<string> Stored(WorkFolder data)
        => Files(data).Select(file => $"sha256:{Path.GetFileName(file).Split('.')[0]}").Order(StringComparer.Ordinal);

    private static IEnumerable<string> Digests(CachedImages.Found found)
        => found.Cached.Concat(found.Hosted).Select(blob => blob.Digest).Distinct().Order(StringComparer.Ordinal);

    private static IEnumerable<string> Files(WorkFolder data)
        => new DirectoryInfo(Path.Combine(data.Path, "blobs", "proxied")) is { Exists: true } folder
            ? folder.EnumerateFiles("*", SearchOption.AllDirectories).Select(file => file.FullName).ToList()
            : [];

    private static Task<RegistryProcess> StartAsync(WorkFolder data, RegistryProcess upstream, long maxBytes, bool offline)
        => RegistryProcess.StartAsync(
            data.Path, listen: LoopbackPort.OwnAddress(), settings: CachedImages.Settings(upstream, maxBytes, offline));
}
