using System.Text;
using Registry.Bench.Load;
using Registry.Bench.Reports;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads.Proxies;

/// <summary>
/// One image, pulled from a hosted registry and from the cache of a proxy registry of the same process, by turns.
/// </summary>
internal static class WarmPulls
{
    private const long Mebi = 1024 * 1024;
    private const double LeastRate = 0.9;
    private const string Repository = "bench/warm";

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);

    public static string Run(ProxyServers servers, int rounds, long largeBytes)
    {
        var proxy = servers.Proxy;
        var (large, manifest) = (new LongBlob(largeBytes), Image.Manifest("warm"));
        Push(servers.Upstream.Target, "");
        Push(proxy, ProxyServers.Hosted);
        Row[] rows =
        [
            new("manifest GET by tag", "GET", "manifests/latest", 16),
            new("manifest GET by digest", "GET", $"manifests/{Image.DigestOf(manifest)}", 16),
            new("manifest HEAD by tag", "HEAD", "manifests/latest", 16),
            new("GET of a 4 KB blob", "GET", $"blobs/{Image.LayerDigest}", 16),
            new($"GET of a blob of {largeBytes / Mebi} MB", "GET", $"blobs/{large.Digest}", 4, largeBytes),
        ];
        using (var first = new HttpConnection(proxy.Address))
        {
            foreach (var row in rows)
                first.Send(ToRequest(row, ProxyServers.Proxied), 200);
        }

        servers.WaitUntilIdle();
        servers.Upstream.Stop(); // now it all comes from the cache, or not at all
        // The first round warms the server up and does not count.
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var row in rows)
            {
                foreach (var proxied in round % 2 == 0 ? [false, true] : (bool[])[true, false])
                {
                    var request = ToRequest(row, proxied ? ProxyServers.Proxied : ProxyServers.Hosted);
                    var measured = ClosedLoop.Run(
                        proxy, row.Readers, Window / 4, Window, (connection, _) => connection.Send(request, 200));
                    if (round > 0)
                        (proxied ? row.Proxied : row.Hosted).Add(measured);
                }
            }

            Console.Error.WriteLine($"round {round} of {rounds}");
        }

        var text = new StringBuilder()
            .AppendLine("| pulled from one process | hosted | proxy | rate | goal | each round | CPU/op | proxy | ratio |")
            .Append("|---|--:|--:|--:|--:|---|--:|--:|--:|");
        foreach (var row in rows)
            text.AppendLine().Append(row.ToMarkdown());
        return text.ToString();

        void Push(Target target, string prefix)
        {
            using var connection = new HttpConnection(target.Address);
            Image.PushBlobs(target, connection, prefix + Repository);
            large.Push(target, connection, prefix + Repository);
            Image.PutManifest(target, connection, prefix + Repository, "latest", manifest);
        }

        byte[] ToRequest(Row row, string prefix) => HttpRequest.Of(
            proxy.Address, row.Method, $"/v2/{prefix}{Repository}/{row.Path}", $"Accept: {HttpRequest.ImageManifest}");
    }

    private sealed record Row(string Title, string Method, string Path, int Readers, long? BytesPerOperation = null)
    {
        public List<Measurement> Hosted { get; } = [];

        public List<Measurement> Proxied { get; } = [];

        public string ToMarkdown()
        {
            var (hosted, proxied) = (Median.Of(Hosted.Select(m => m.Rate)), Median.Of(Proxied.Select(m => m.Rate)));
            var (hostedCpu, proxiedCpu) = (MedianCpu(Hosted), MedianCpu(Proxied));
            var ratio = proxied / hosted;
            var each = Proxied.Zip(Hosted, (mine, other) => mine.Rate / other.Rate);
            return $"| {Title}, {Readers} at once | {Rate(hosted)} | {Rate(proxied)} "
                + $"| {Figure.Of(ratio, "0.00", ratio >= LeastRate)} | {Figure.Of(LeastRate, "0.0")} "
                + $"| {Figure.Each(each, "0.00")} | {Figure.Of(hostedCpu, "0.###")} ms "
                + $"| {Figure.Of(proxiedCpu, "0.###")} ms | {Figure.Of(hostedCpu / proxiedCpu, "0.00")} |";
        }

        private string Rate(double rate) => BytesPerOperation is { } bytes
            ? $"{Figure.Of(rate * bytes / 1e6, "0")} MB/s"
            : $"{Figure.Of(rate, "0")}/s";

        private static double MedianCpu(IEnumerable<Measurement> measured)
            => Median.Of(measured.Select(m => m.CpuPerOperation!.Value * 1000));
    }
}
