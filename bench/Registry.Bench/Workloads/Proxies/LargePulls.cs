using Registry.Bench.Load;
using Registry.Bench.Reports;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads.Proxies;

/// <summary>First pulls of large layers at once: what they cost the proxy in memory.</summary>
internal static class LargePulls
{
    private const long Mebi = 1024 * 1024;
    private const long MostBytes = 250 * Mebi;
    private const int Layers = 8;
    private const string Repository = "bench/large";

    public static string Run(ProxyServers servers, long layerBytes)
    {
        var idle = servers.Proxy.PeakBytes()!.Value;
        var layers = Enumerable.Range(0, Layers).Select(_ => new LongBlob(layerBytes)).ToArray();
        using (var connection = new HttpConnection(servers.Upstream.Target.Address))
        {
            foreach (var layer in layers)
                layer.Push(servers.Upstream.Target, connection, Repository);
        }

        Surroundings.Settle();
        servers.WaitUntilIdle();
        var cpu = servers.Proxy.CpuSeconds();
        var pulled = ClosedLoop.RunOnce(
            servers.Proxy,
            Layers,
            (connection, number)
                => layers[number].Pull(servers.Proxy, connection, $"{ProxyServers.Proxied}{Repository}"));
        servers.WaitUntilIdle(); // what has come whole still goes into the store
        var peak = servers.Proxy.PeakBytes()!.Value;
        var gigabytes = Layers * layerBytes / 1e9;
        var cpuPerGigabyte = (servers.Proxy.CpuSeconds() - cpu)!.Value / gigabytes;
        return $"""
            | {Layers} first pulls of {layerBytes / Mebi} MB at once | | goal |
            |---|--:|--:|
            | peak memory of the proxy's process (MB) | {Figure.Of(peak / Mebi, "0", peak < MostBytes)} | below {MostBytes / Mebi} |
            | after its start (MB) | {idle / Mebi} | |
            | what their clients get (MB/s) | {Figure.Of(gigabytes * 1000 / pulled.Seconds, "0")} | |
            | CPU of the proxy for 1 GB, until all of it is stored (s) | {Figure.Of(cpuPerGigabyte, "0.00")} | |
            """;
    }
}
