using System.CommandLine;
using System.Diagnostics;
using Registry.Bench.Load;
using Registry.Bench.Reports;
using Registry.Bench.Servers;
using Registry.Bench.Workloads;

namespace Registry.Bench.Commands;

/// <summary>The same load on this registry and on another one, in turn.</summary>
internal sealed class CompareCommand : Command
{
    private readonly Option<Uri?> _against = new("--against")
    {
        CustomParser = argument => new Uri(argument.Tokens[0].Value, UriKind.Absolute),
        Description = "A registry that is running already, instead of Debian's docker-registry. It is pushed to!",
    };

    private readonly Option<int?> _process = new("--process")
    {
        Description = "The id of its process on this machine, for its CPU time and memory.",
    };

    private readonly Option<string> _store = new("--store")
    {
        Description = "Where both keep blobs: fs, or s3 (one S3 server for both, Ceph RGW, started here).",
        DefaultValueFactory = _ => "fs",
    };

    private readonly Option<string> _database = new("--database")
    {
        Description = "Where this registry keeps its metadata: sqlite, or postgresql (started here).",
        DefaultValueFactory = _ => "sqlite",
    };

    private readonly Option<int> _rounds = new("--rounds") { Description = "Rounds.", DefaultValueFactory = _ => 3 };

    private readonly Option<double> _seconds = new("--seconds")
    {
        Description = "Length of a measurement that repeats small operations.",
        DefaultValueFactory = _ => 4,
    };

    private readonly Option<string[]> _only = new("--only")
    {
        Description = "The keys of the rows to run, instead of all (on S3: of all that have a goal there).",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<DirectoryInfo?> _output = new("--output")
    {
        Description = "A folder for the table, the figures and the plots.",
    };

    public CompareCommand()
        : base("compare", "The same load on this registry and on another one, in turn.")
    {
        _store.AcceptOnlyFromAmong("fs", "s3");
        _database.AcceptOnlyFromAmong("sqlite", "postgresql");
        foreach (var option in (Option[])[_against, _process, _store, _database, _rounds, _seconds, _only, _output])
            Options.Add(option);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var seconds = arguments.GetValue(_seconds);
        var only = arguments.GetValue(_only) ?? [];
        var (onS3, onPostgreSql) = (arguments.GetValue(_store) == "s3", arguments.GetValue(_database) == "postgresql");
        var workloads = Goals.Apply(
            new(TimeSpan.FromSeconds(seconds / 2), TimeSpan.FromSeconds(seconds)), only, onS3, onPostgreSql);
        await using var backends = await Backends.StartAsync(onS3, onPostgreSql);
        using var ours = backends.StartOurs();
        using var started = arguments.GetValue(_against) is null ? backends.StartDistribution() : null;
        var theirs = started?.Target ?? new Target(
            arguments.GetValue(_against)!.Authority,
            arguments.GetValue(_against)!,
            arguments.GetValue(_process) is { } id ? Process.GetProcessById(id) : null);

        var rows = Measure(workloads, ours.Target, theirs, arguments.GetValue(_rounds));
        var table = Comparison.ToMarkdown(rows, ours.Target.Name, theirs.Name);
        Console.WriteLine();
        Console.WriteLine(Machine.Describe());
        Console.WriteLine();
        Console.WriteLine(table);
        if (arguments.GetValue(_output) is { } folder)
        {
            folder.Create();
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "comparison.md"), table, cancellationToken);
            await File.WriteAllTextAsync(
                Path.Combine(folder.FullName, "comparison.svg"), BarChart.Of(rows), cancellationToken);
            Recorded.Save(rows, Path.Combine(folder.FullName, "comparison.json"));
        }

        return 0;
    }

    /// <summary>Fills both servers and runs each workload on both, turn by turn, so that a slow minute hits both.</summary>
    public static IReadOnlyList<Row> Measure(
        IReadOnlyList<Workload> workloads, Target ours, Target theirs, int rounds)
    {
        var withRepositories = workloads.Any(workload => workload.Key == AllWorkloads.CatalogKey);
        Fixture.Fill(ours, withRepositories);
        Fixture.Fill(theirs, withRepositories);
        var measured = workloads.ToDictionary(w => w, _ => (Ours: new List<Measurement>(), Theirs: new List<Measurement>()));
        for (var round = 0; round < rounds; round++)
        {
            foreach (var workload in workloads)
            {
                var (mine, other) = measured[workload];
                ours.WaitUntilIdle();
                theirs.WaitUntilIdle();
                // Who comes first changes: what the first leaves behind helps or harms the second.
                foreach (var target in round % 2 == 0 ? [ours, theirs] : (Target[])[theirs, ours])
                {
                    Surroundings.Settle();
                    (target == ours ? mine : other).Add(workload.Run(target, round));
                }

                Console.Error.WriteLine(
                    $"round {round + 1} of {rounds}, {workload.Key}: {mine[^1].Rate:0.##}/s and {other[^1].Rate:0.##}/s");
            }
        }

        return [.. workloads.Select(w => new Row(w, Side.Of(measured[w].Ours), Side.Of(measured[w].Theirs)))];
    }
}
