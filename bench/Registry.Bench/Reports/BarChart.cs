using System.Globalization;
using System.Text;

namespace Registry.Bench.Reports;

/// <summary>The ratios of a comparison as horizontal bars on a logarithmic scale, with the goals as marks.</summary>
internal static class BarChart
{
    private const int Left = 300;
    private const int Width = 460;
    private const int RowHeight = 34;
    private const int Top = 56;
    private const double MaxRatio = 200;

    public static string Of(IReadOnlyList<Row> rows)
    {
        var height = Top + (rows.Count * RowHeight) + 30;
        var svg = new StringBuilder();
        Line($"""<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{height}" font-family="sans-serif" font-size="12">""");
        Line($"""<rect width="860" height="{height}" fill="#fff"/>""");
        Line($"""<text x="10" y="20" font-size="14" font-weight="bold">How many times better than CNCF Distribution 2.8 (log scale)</text>""");
        Line($"""<rect x="10" y="30" width="12" height="10" fill="#2563eb"/><text x="26" y="39">rate</text>""");
        Line($"""<rect x="70" y="30" width="12" height="10" fill="#16a34a"/><text x="86" y="39">CPU per operation</text>""");
        Line($"""<path d="M212 28v14" stroke="#111" stroke-width="2"/><text x="220" y="39">goal</text>""");
        foreach (var tick in (double[])[1, 2, 5, 10, 20, 50, 100, 200])
        {
            Line($"""<path d="M{X(tick):0.#} {Top}V{height - 24}" stroke="#ddd"/>""");
            Line($"""<text x="{X(tick):0.#}" y="{height - 8}" text-anchor="middle" fill="#555">{tick}×</text>""");
        }

        for (var i = 0; i < rows.Count; i++)
        {
            var (row, y) = (rows[i], Top + (i * RowHeight) + 4);
            Line($"""<text x="{Left - 8}" y="{y + 17}" text-anchor="end">{row.Workload.Title}</text>""");
            Bar(y, row.RateRatio, row.Workload.RateGoal, "#2563eb");
            if (row.CpuRatio is { } cpu)
                Bar(y + 13, cpu, row.Workload.CpuGoal, "#16a34a");
        }

        Line($"</svg>");
        return svg.ToString();

        void Bar(int y, double ratio, double? goal, string color)
        {
            Line($"""<rect x="{Left}" y="{y}" width="{Math.Max(1, X(ratio) - Left):0.#}" height="11" fill="{color}"/>""");
            Line($"""<text x="{Math.Max(Left, X(ratio)) + 4:0.#}" y="{y + 10}" font-size="10">{ratio:0.0}×</text>""");
            if (goal is { } value)
                Line($"""<path d="M{X(value):0.#} {y - 1}v13" stroke="#111" stroke-width="2"/>""");
        }

        void Line(FormattableString text) => svg.AppendLine(text.ToString(CultureInfo.InvariantCulture));
    }

    private static double X(double ratio)
        => Left + (Math.Log(Math.Clamp(ratio, 1, MaxRatio)) / Math.Log(MaxRatio) * Width);
}
