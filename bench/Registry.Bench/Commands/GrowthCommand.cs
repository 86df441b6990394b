using System.CommandLine;
using System.Globalization;
using System.Text;
using Registry.Bench.Load;
using Registry.Bench.Reports;
using Registry.Bench.Servers;
using Registry.Bench.Workloads;

namespace Registry.Bench.Commands;

/// <summary>What more of everything costs: tags of one repository, repositories, bytes of one blob.</summary>
internal sealed class GrowthCommand : Command
{
    private const long Mebi = 1024 * 1024;
    private const int Readers = 16;
    private const int Starts = 5;
    private const string Tagged = "bench/tagged";

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    private readonly Option<DirectoryInfo?> _output = new("--output") { Description = "A folder for tables and plots." };

    private readonly Option<bool> _small = new("--small") { Description = "A hundredth of the sizes, to try it out." };

    private readonly StringBuilder _report = new();

    public GrowthCommand()
        : base("growth", "How cost grows with tags, repositories and sizes.")
    {
        Options.Add(_output);
        Options.Add(_small);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var part = arguments.GetValue(_small) ? 100 : 1;
        Say($"{Machine.Describe()}\n");
        var tags = await TagsAsync([100, 1_000, 10_000 / Math.Min(part, 5), 100_000 / part, 1_000_000 / part]);
        var repositories = await RepositoriesAsync([100, 1_000, 10_000 / Math.Min(part, 5), 100_000 / part]);
        Blobs([1024 / part, 2048 / part, 5120 / part, 10240 / part]);
        if (arguments.GetValue(_output) is { } folder)
        {
            folder.Create();
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "growth.md"), _report.ToString(), cancellationToken);
            await File.WriteAllTextAsync(
                Path.Combine(folder.FullName, "growth.svg"), LineChart.Of([.. tags, .. repositories]), cancellationToken);
        }

        return 0;
    }

    private async Task<IReadOnlyList<Series>> TagsAsync(int[] steps)
    {
        Say("| tags in one repository | tag page (µs CPU) | last page | manifest GET by tag | by digest | start (ms) | idle memory (MB) |");
        Say("|--:|--:|--:|--:|--:|--:|--:|");
        Series page = new("tag page", []), last = new("last tag page", []), get = new("manifest GET by tag", []);
        var server = ServerProcess.Ours();
        try
        {
            using (var connection = new HttpConnection(server.Target.Address))
            {
                Image.PushBlobs(server.Target, connection, Tagged);
                Image.PutManifest(server.Target, connection, Tagged, "latest", Image.Manifest("latest"));
            }

            var before = 0;
            foreach (var count in steps)
            {
                server.Stop();
                await Seed.TagsAsync(server, Tagged, before, count);
                before = count;
                (server, var start) = Restart(server);
                var idle = server.Target.PeakBytes() / Mebi;
                var costs = Read(
                    server.Target,
                    n => $"/v2/{Tagged}/tags/list?n=100&last=v1.{Spread(n, count - 100):0000000}",
                    n => $"/v2/{Tagged}/tags/list?n=100&last=v1.{count - 101:0000000}",
                    n => $"/v2/{Tagged}/manifests/v1.{Spread(n, count):0000000}",
                    n => $"/v2/{Tagged}/manifests/{Image.DigestOf(Image.Manifest($"seed {Spread(n, count)}"))}");
                Say(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {count:N0} | {string.Join(" | ", costs.Select(c => $"{c:0}"))} | {start:0} | {idle} |"));
                page.Points.Add((count, costs[0]));
                last.Points.Add((count, costs[1]));
                get.Points.Add((count, costs[2]));
            }
        }
        finally
        {
            server.Dispose();
        }

        return [page, last, get];
    }

    private async Task<IReadOnlyList<Series>> RepositoriesAsync(int[] steps)
    {
        Say("\n| repositories | catalog page (µs CPU) | last page | manifest GET by tag | start (ms) | idle memory (MB) |");
        Say("|--:|--:|--:|--:|--:|--:|");
        Series page = new("catalog page", []);
        var server = ServerProcess.Ours();
        try
        {
            using (var connection = new HttpConnection(server.Target.Address))
                Image.PushBlobs(server.Target, connection, Tagged);
            var before = 0;
            foreach (var count in steps)
            {
                server.Stop();
                await Seed.RepositoriesAsync(server, before, count);
                before = count;
                (server, var start) = Restart(server);
                var idle = server.Target.PeakBytes() / Mebi;
                var costs = Read(
                    server.Target,
                    n => $"/v2/_catalog?n=100&last=many/r{Spread(n, count - 100):000000}",
                    n => $"/v2/_catalog?n=100&last=many/r{count - 101:000000}",
                    n => $"/v2/many/r{Spread(n, count):000000}/manifests/latest");
                Say(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {count:N0} | {string.Join(" | ", costs.Select(c => $"{c:0}"))} | {start:0} | {idle} |"));
                page.Points.Add((count, costs[0]));
            }
        }
        finally
        {
            server.Dispose();
        }

        return [page];
    }

    private void Blobs(int[] megabytes)
    {
        Say("\n| blob | push (MB/s) | CPU per GB (s) | pull (MB/s) | CPU per GB (s) | peak memory (MB) |");
        Say("|--:|--:|--:|--:|--:|--:|");
        using var server = ServerProcess.Ours();
        foreach (var size in megabytes)
        {
            var blob = new LongBlob(size * Mebi);
            Surroundings.Settle();
            var push = ClosedLoop.RunOnce(server.Target, 1, (c, _) => blob.Push(server.Target, c, Tagged));
            var pull = ClosedLoop.RunOnce(server.Target, 1, (c, _) => blob.Pull(server.Target, c, Tagged));
            var gigabytes = size * Mebi / 1e9;
            Say(string.Create(
                CultureInfo.InvariantCulture,
                $"| {size:N0} MB | {gigabytes * 1000 / push.Seconds:0} | {push.CpuSeconds / gigabytes:0.00} | {gigabytes * 1000 / pull.Seconds:0} | {pull.CpuSeconds / gigabytes:0.00} | {Math.Max(push.PeakBytes!.Value, pull.PeakBytes!.Value) / Mebi} |"));
        }
    }

    // Numbers from everywhere in the range, and always the same ones.
    private static int Spread(int n, int count) => (int)(n * 7_919L * 104_729 % Math.Max(1, count));

    // Median CPU per operation in microseconds, of each kind of request; the kinds take turns.
    private static double[] Read(Target target, params Func<int, string>[] kinds)
    {
        var requests = kinds.Select(path => Enumerable.Range(0, 1_000)
            .Select(n => HttpRequest.Of(target.Address, "GET", path(n), $"Accept: {HttpRequest.ImageManifest}"))
            .ToArray()).ToArray();
        var costs = kinds.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < 3; round++)
        {
            for (var kind = 0; kind < kinds.Length; kind++)
            {
                var mine = requests[kind];
                costs[kind].Add(1e6 * ClosedLoop.Run(
                    target, Readers, Window / 2, Window, (c, n) => c.Send(mine[n % mine.Length], 200)).CpuPerOperation!.Value);
            }
        }

        return [.. costs.Select(c => c.Order().ElementAt(1))];
    }

    private static (ServerProcess Server, double StartMilliseconds) Restart(ServerProcess server)
    {
        var times = new List<double>();
        for (var i = 0; i < Starts; i++)
        {
            server.Stop();
            server = ServerProcess.Ours(server.Folder);
            times.Add(server.StartedIn.TotalMilliseconds);
        }

        return (server, times.Order().ElementAt(Starts / 2));
    }

    private void Say(string line)
    {
        Console.WriteLine(line);
        _report.AppendLine(line);
    }
}
