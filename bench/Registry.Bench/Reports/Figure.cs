using System.Globalization;

namespace Registry.Bench.Reports;

/// <summary>A number in a table: <b>bold</b> when it reaches its goal.</summary>
internal static class Figure
{
    public static string Of(double value, string format, bool reached = false)
    {
        var text = value.ToString(format, CultureInfo.InvariantCulture);
        return reached ? $"**{text}**" : text;
    }

    /// <summary>What each round had.</summary>
    public static string Each(IEnumerable<double> values, string format)
        => string.Join(", ", values.Select(value => Of(value, format)));
}
