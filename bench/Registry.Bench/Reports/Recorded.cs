using System.Text.Json;

namespace Registry.Bench.Reports;

/// <summary>The ratios of a comparison, by the keys of its rows.</summary>
internal sealed record Ratios(double Rate, double Cpu);

internal static class Recorded
{
    private static readonly JsonSerializerOptions Readable = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static IReadOnlyDictionary<string, Ratios> Load(string file)
        => JsonSerializer.Deserialize<Dictionary<string, Ratios>>(File.ReadAllText(file), Readable)!;

    public static void Save(IReadOnlyList<Row> rows, string file)
        => File.WriteAllText(file, JsonSerializer.Serialize(
            rows.Where(row => row.CpuRatio is not null).ToDictionary(
                row => row.Workload.Key,
                row => new Ratios(Math.Round(row.RateRatio, 2), Math.Round(row.CpuRatio!.Value, 2)),
                StringComparer.Ordinal),
            Readable) + "\n");
}
