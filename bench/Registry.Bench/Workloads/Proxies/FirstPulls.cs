using Registry.Bench.Reports;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads.Proxies;

/// <summary>Many clients pull an image in the same moment that the proxy has not seen before.</summary>
/// <remarks>
/// Beside each first pull the same clients pull the same image from the upstream itself, before it or after it by turns.
/// Clients that read as fast as they can use all processors, and a first byte waits for them more than for anything
/// else; so there are also clients that read as slowly as in a network.
/// </remarks>
internal sealed class FirstPulls(ProxyServers servers, int clients, double bytesPerSecond, long layerBytes)
{
    private const long Mebi = 1024 * 1024;
    private const int Layers = 2;
    private const double MostAddedMilliseconds = 20;

    private readonly List<int> _manifestGets = [];
    private readonly List<int> _blobGets = [];

    public string Run(int rounds)
    {
        Pair slow = new(), fast = new(), alone = new();
        var stalled = new List<double>();
        servers.Proxy.ResetPeak();
        servers.Upstream.Target.ResetPeak();
        // The first round warms both servers up and does not count.
        for (var round = 0; round <= rounds; round++)
        {
            var proxyFirst = round % 2 != 0;
            if (round == 1)
                (slow, fast, alone, stalled) = (new(), new(), new(), []);
            Compare(slow, proxyFirst, clients, bytesPerSecond);
            Compare(fast, proxyFirst, clients, rate: null);
            Compare(alone, proxyFirst, clients: 1, rate: null);
            stalled.Add(PullFirst(NewImage(), clients, rate: null, stalled: 1).Seconds);
            Console.Error.WriteLine($"round {round} of {rounds}");
        }

        var paced = $"{bytesPerSecond / 1e6:0.#} MB/s each";
        return $"""
            | {clients} clients, one image of {Layers} layers of {layerBytes / Mebi} MB | at the upstream | first pull through the proxy | difference | goal | each round |
            |---|--:|--:|--:|--:|---|
            {FirstByte($"first byte of a layer, {paced}, median (ms)", slow, hasGoal: true)}
            {FirstByte("first byte of a layer, as fast as they can, median (ms)", fast)}
            {FirstByte("first byte of a layer, one client alone, median (ms)", alone)}
            {Whole($"the whole image, {paced} (s)", slow)}
            {Whole("the whole image, as fast as they can (s)", fast)}
            {Whole("the whole image, one client alone (s)", alone)}
            | the same for {clients - 1}, as fast as they can, beside one that reads nothing (s) | | {Figure.Of(Median.Of(stalled), "0.00")} | | | {Figure.Each(stalled, "0.00")} |
            {Busy($"processors in use, {paced} (%)", slow)}
            {Busy("processors in use, as fast as they can (%)", fast)}
            | GETs at the upstream for one blob, at most | | {Figure.Of(_blobGets.Max(), "0", _blobGets.Max() == 1)} | | 1 | {_blobGets.Count} blobs, at least {_blobGets.Min()} |
            | GETs at the upstream for one manifest, at most | | {Figure.Of(_manifestGets.Max(), "0", _manifestGets.Max() == 1)} | | 1 | {_manifestGets.Count} manifests, at least {_manifestGets.Min()} |
            | peak memory of the process (MB) | {servers.Upstream.Target.PeakBytes() / Mebi} | {servers.Proxy.PeakBytes() / Mebi} | | | |
            """;
    }

    private void Compare(Pair pair, bool proxyFirst, int clients, double? rate)
    {
        var image = NewImage();
        if (proxyFirst)
            pair.Proxy.Add(PullFirst(image, clients, rate, stalled: 0));
        pair.Upstream.Add(Pull(image, servers.Upstream.Target, "", clients, rate, stalled: 0));
        if (!proxyFirst)
            pair.Proxy.Add(PullFirst(image, clients, rate, stalled: 0));
    }

    private FreshImage NewImage()
    {
        var image = new FreshImage("bench/first", Layers, layerBytes);
        image.Push(servers.Upstream.Target);
        return image;
    }

    private Rollout PullFirst(FreshImage image, int clients, double? rate, int stalled)
    {
        servers.WaitUntilIdle();
        var (manifests, blobs) = (CountGets([image.ManifestPath("")]), CountGets(image.BlobPaths("")));
        var pulled = Pull(image, servers.Proxy, ProxyServers.Proxied, clients, rate, stalled);
        servers.WaitUntilIdle();
        _manifestGets.AddRange(CountGets([image.ManifestPath("")]).Zip(manifests, (after, before) => after - before));
        _blobGets.AddRange(CountGets(image.BlobPaths("")).Zip(blobs, (after, before) => after - before));
        return pulled;
    }

    private int[] CountGets(IReadOnlyList<string> paths)
        => [.. paths.Select(path => servers.Upstream.CountAnswered("GET", path))];

    private Rollout Pull(FreshImage image, Target target, string prefix, int clients, double? rate, int stalled)
    {
        Surroundings.Settle();
        servers.WaitUntilIdle();
        return Rollout.Run(
            image, target, prefix, clients, rate, stalled, servers: [servers.Upstream.Target, servers.Proxy]);
    }

    private static string FirstByte(string title, Pair pair, bool hasGoal = false)
    {
        var (upstream, proxy, added) = pair.Of(pulled => Median.Of(pulled.FirstBytes));
        var difference = Median.Of(added);
        return $"| {title} | {Figure.Of(upstream, "0.0")} | {Figure.Of(proxy, "0.0")} "
            + $"| {Figure.Of(difference, "+0.0;-0.0", hasGoal && difference <= MostAddedMilliseconds)} "
            + $"| {(hasGoal ? $"+{MostAddedMilliseconds}" : "")} | {Figure.Each(added, "+0.0;-0.0")} |";
    }

    private static string Whole(string title, Pair pair)
    {
        var (upstream, proxy, added) = pair.Of(pulled => pulled.Seconds);
        return $"| {title} | {Figure.Of(upstream, "0.00")} | {Figure.Of(proxy, "0.00")} "
            + $"| {Figure.Of(Median.Of(added), "+0.00;-0.00")} | | {Figure.Each(added, "+0.00;-0.00")} |";
    }

    private static string Busy(string title, Pair pair)
    {
        var (upstream, proxy, _) = pair.Of(pulled => pulled.Busy * 100);
        return $"| {title} | {Figure.Of(upstream, "0")} | {Figure.Of(proxy, "0")} | | | |";
    }

    /// <summary>The same pulls at both, round by round.</summary>
    private sealed class Pair
    {
        public List<Rollout> Upstream { get; } = [];

        public List<Rollout> Proxy { get; } = [];

        /// <summary>Medians of all rounds, and how much more the proxy had in each.</summary>
        public (double Upstream, double Proxy, double[] Added) Of(Func<Rollout, double> figure) => (
            Median.Of(Upstream.Select(figure)),
            Median.Of(Proxy.Select(figure)),
            [.. Proxy.Zip(Upstream, (proxy, upstream) => figure(proxy) - figure(upstream))]);
    }
}
