using System.CommandLine;
using Registry.Bench.Reports;
using Registry.Bench.Servers;
using Registry.Bench.Workloads.Proxies;

namespace Registry.Bench.Commands;

/// <summary>
/// A proxy registry whose upstream is another process of this product: its memory during first pulls of large layers,
/// first pulls of one image by many clients beside the same pulls at the upstream itself, and pulls of what it has
/// beside those from a hosted registry of the same process.
/// </summary>
internal sealed class ProxyCommand : Command
{
    private const long Mebi = 1024 * 1024;

    private static readonly string[] Parts = ["memory", "first", "warm"];

    private readonly Option<string> _store = new("--store")
    {
        Description = "Where the proxy keeps blobs: fs, or s3 (Ceph RGW, started here). The upstream has files.",
        DefaultValueFactory = _ => "fs",
    };

    private readonly Option<int> _rounds = new("--rounds")
    {
        Description = "Rounds of first pulls; pulls of what is there have twice as many.",
        DefaultValueFactory = _ => 5,
    };

    private readonly Option<int> _clients = new("--clients")
    {
        Description = "Clients that pull one image at once.",
        DefaultValueFactory = _ => 100,
    };

    private readonly Option<double> _rate = new("--client-rate")
    {
        Description = "How many MB/s each of them reads, where they are slower than the loopback.",
        DefaultValueFactory = _ => 10,
    };

    private readonly Option<string[]> _only = new("--only")
    {
        Description = $"The parts to run, instead of all: {string.Join(", ", Parts)}.",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<bool> _quick = new("--quick") { Description = "An eighth of the sizes, to try it out." };

    public ProxyCommand()
        : base("proxy", "First pulls through a proxy by many clients, pulls of what it has, and its memory.")
    {
        _store.AcceptOnlyFromAmong("fs", "s3");
        _only.AcceptOnlyFromAmong(Parts);
        foreach (var option in (Option[])[_store, _rounds, _clients, _rate, _only, _quick])
            Options.Add(option);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var parts = arguments.GetValue(_only) is { Length: > 0 } only ? only : Parts;
        var (rounds, share) = (arguments.GetValue(_rounds), arguments.GetValue(_quick) ? 8 : 1);
        var onS3 = arguments.GetValue(_store) == "s3";
        Console.WriteLine($"{Machine.Describe()}; the proxy keeps blobs {(onS3 ? "on an S3 server" : "in a folder")}");
        foreach (var part in Parts.Where(parts.Contains))
        {
            // Each part has servers of its own: what one has left in memory and on the disk is not the next one's.
            await using var servers = await ProxyServers.StartAsync(onS3);
            Console.WriteLine();
            Console.WriteLine(part switch
            {
                "memory" => LargePulls.Run(servers, 1024 * Mebi / share),
                "first" => new FirstPulls(
                    servers, arguments.GetValue(_clients), arguments.GetValue(_rate) * 1e6, 64 * Mebi / share)
                    .Run(rounds),
                _ => WarmPulls.Run(servers, rounds * 2, 64 * Mebi / share),
            });
        }

        return 0;
    }
}
