using System.CommandLine;
using System.Globalization;
using Registry.Bench.Reports;
using Registry.Bench.Servers;
using Registry.Bench.Workloads;

namespace Registry.Bench.Commands;

/// <summary>Fails when the registry has become much slower, compared with the other one on the same machine.</summary>
internal sealed class GuardCommand : Command
{
    // Machines differ and are noisy; a change that costs a third of the lead is seen all the same.
    private const double LeastShare = 2.0 / 3;

    private readonly Argument<FileInfo> _recorded = new("recorded") { Description = "The figures to keep." };

    public GuardCommand()
        : base("guard", "A short comparison that fails when a ratio fell by more than a third.")
    {
        Arguments.Add(_recorded);
        SetAction(Run);
    }

    private int Run(ParseResult arguments)
    {
        var recorded = Recorded.Load(arguments.GetValue(_recorded)!.FullName);
        var workloads = new AllWorkloads(TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(1.5)).Select(recorded.Keys);
        using var ours = ServerProcess.Ours();
        using var theirs = ServerProcess.Distribution();
        var failed = 0;
        foreach (var row in CompareCommand.Measure(workloads, ours.Target, theirs.Target, rounds: 3))
        {
            var before = recorded[row.Workload.Key];
            Judge(row, "rate", row.RateRatio, before.Rate);
            Judge(row, "CPU per operation", row.CpuRatio!.Value, before.Cpu);
        }

        return failed == 0 ? 0 : 1;

        void Judge(Row row, string what, double now, double before)
        {
            var ok = now >= before * LeastShare;
            if (!ok)
                failed++;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{(ok ? "ok    " : "FAILED")} {row.Workload.Title}: {what} {now:0.0}×, recorded {before:0.0}×"));
        }
    }
}
