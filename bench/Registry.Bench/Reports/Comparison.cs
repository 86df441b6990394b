using System.Globalization;
using System.Text;
using Registry.Bench.Load;
using Registry.Bench.Workloads;

namespace Registry.Bench.Reports;

/// <summary>The medians of all rounds of one workload, on both servers.</summary>
internal sealed record Row(Workload Workload, Side Ours, Side Theirs)
{
    /// <summary>How many times their rate ours is.</summary>
    public double RateRatio => Ours.Rate / Theirs.Rate;

    /// <summary>How many times ours fits into their CPU per operation; null where a process is not known.</summary>
    public double? CpuRatio => Theirs.CpuPerOperation / Ours.CpuPerOperation;

    public bool Reached => !(RateRatio < Workload.RateGoal) && !(CpuRatio < Workload.CpuGoal);
}

/// <summary>One server's medians.</summary>
/// <param name="CpuPerOperation">In seconds.</param>
/// <param name="P50">In milliseconds.</param>
/// <param name="P99">In milliseconds.</param>
internal sealed record Side(double Rate, double? CpuPerOperation, double P50, double P99, long? PeakBytes)
{
    public static Side Of(IReadOnlyList<Measurement> rounds) => new(
        Median.Of(rounds.Select(m => m.Rate)),
        rounds[0].CpuPerOperation is null ? null : Median.Of(rounds.Select(m => m.CpuPerOperation!.Value)),
        Median.Of(rounds.Select(m => m.Percentile(0.5))),
        Median.Of(rounds.Select(m => m.Percentile(0.99))),
        rounds[0].PeakBytes is null ? null : rounds.Max(m => m.PeakBytes));
}

/// <summary>The comparison as a Markdown table.</summary>
internal static class Comparison
{
    public static string ToMarkdown(IReadOnlyList<Row> rows, string ours, string theirs)
    {
        var text = new StringBuilder();
        text.AppendLine($"| workload | {ours} | {theirs} | rate | goal | CPU/op | {theirs} | ratio | goal | p50/p99 ms | {theirs} | peak MB | {theirs} |")
            .AppendLine("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        foreach (var row in rows)
        {
            var workload = row.Workload;
            text.AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {workload.Title} | {Rate(workload, row.Ours)} | {Rate(workload, row.Theirs)} | {Ratio(row.RateRatio, workload.RateGoal)} | {Goal(workload.RateGoal)} | {Cpu(row.Ours)} | {Cpu(row.Theirs)} | {Ratio(row.CpuRatio, workload.CpuGoal)} | {Goal(workload.CpuGoal)} | {Times(row.Ours)} | {Times(row.Theirs)} | {Peak(row.Ours)} | {Peak(row.Theirs)} |"));
        }

        return text.ToString();
    }

    private static string Rate(Workload workload, Side side) => workload.BytesPerOperation is { } bytes
        ? string.Create(CultureInfo.InvariantCulture, $"{side.Rate * bytes / 1e6:0} MB/s")
        : string.Create(CultureInfo.InvariantCulture, $"{side.Rate:0}/s");

    private static string Ratio(double? ratio, double? goal) => ratio is not { } value ? ""
        : string.Create(CultureInfo.InvariantCulture, $"{(value < goal ? "" : "**")}{value:0.0}×{(value < goal ? "" : "**")}");

    private static string Goal(double? goal)
        => goal is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value:0.#}×") : "";

    private static string Cpu(Side side) => side.CpuPerOperation is not { } seconds ? ""
        : string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0.###} ms");

    private static string Times(Side side)
        => string.Create(CultureInfo.InvariantCulture, $"{side.P50:0.##}/{side.P99:0.##}");

    private static string Peak(Side side)
        => side.PeakBytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576}") : "";
}
