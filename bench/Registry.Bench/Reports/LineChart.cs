using System.Globalization;
using System.Text;

namespace Registry.Bench.Reports;

/// <summary>Cost over a count.</summary>
/// <param name="Points">Count, and microseconds of CPU per operation.</param>
internal sealed record Series(string Name, List<(double Count, double Cost)> Points);

/// <summary>Cost over a logarithmic count: what does not grow is a level line.</summary>
internal static class LineChart
{
    private const int Left = 60;
    private const int Right = 600;
    private const int Top = 40;
    private const int Bottom = 340;

    private static readonly string[] Colors = ["#2563eb", "#16a34a", "#dc2626", "#9333ea", "#ea580c"];

    public static string Of(IReadOnlyList<Series> all)
    {
        var counts = all.SelectMany(series => series.Points).Select(point => point.Count).Distinct().Order().ToArray();
        var most = Math.Ceiling(all.SelectMany(series => series.Points).Max(point => point.Cost) / 50) * 50;
        var svg = new StringBuilder();
        Line($"""<svg xmlns="http://www.w3.org/2000/svg" width="820" height="390" font-family="sans-serif" font-size="12">""");
        Line($"""<rect width="820" height="390" fill="#fff"/>""");
        Line($"""<text x="10" y="20" font-size="14" font-weight="bold">Server CPU per request (µs) over what is stored</text>""");
        for (var tick = 0; tick <= 4; tick++)
        {
            var value = most * tick / 4;
            Line($"""<path d="M{Left} {Y(value):0.#}H{Right}" stroke="#ddd"/>""");
            Line($"""<text x="{Left - 6}" y="{Y(value) + 4:0.#}" text-anchor="end" fill="#555">{value:0}</text>""");
        }

        foreach (var count in counts)
            Line($"""<text x="{X(count):0.#}" y="{Bottom + 18}" text-anchor="middle" fill="#555">{count:N0}</text>""");
        Line($"""<text x="{(Left + Right) / 2}" y="{Bottom + 38}" text-anchor="middle">tags in one repository, or repositories</text>""");
        for (var i = 0; i < all.Count; i++)
        {
            var points = string.Join(' ', all[i].Points.Select(
                point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Count):0.#},{Y(point.Cost):0.#}")));
            Line($"""<polyline points="{points}" fill="none" stroke="{Colors[i % Colors.Length]}" stroke-width="2"/>""");
            Line($"""<rect x="{Right + 20}" y="{Top + (i * 22)}" width="12" height="10" fill="{Colors[i % Colors.Length]}"/>""");
            Line($"""<text x="{Right + 38}" y="{Top + (i * 22) + 9}">{all[i].Name}</text>""");
        }

        Line($"</svg>");
        return svg.ToString();

        double X(double count) => Left + ((Math.Log(count) - Math.Log(counts[0]))
            / Math.Max(1e-9, Math.Log(counts[^1]) - Math.Log(counts[0])) * (Right - Left));

        double Y(double cost) => Bottom - (cost / most * (Bottom - Top));

        void Line(FormattableString text) => svg.AppendLine(text.ToString(CultureInfo.InvariantCulture));
    }
}
