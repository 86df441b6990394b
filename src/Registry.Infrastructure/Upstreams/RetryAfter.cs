using System.Globalization;

namespace Registry.Infrastructure.Upstreams;

/// <summary>How long an upstream wants to be left alone (RFC 9110, section 10.2.3).</summary>
internal static class RetryAfter
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <param name="header">Seconds or a date; of anything else it is <see cref="Default"/>.</param>
    public static TimeSpan Read(string? header, DateTimeOffset now)
    {
        var text = header?.Trim(' ', '\t') ?? "";
        if (text.Length > 0 && text.All(char.IsAsciiDigit))
            return long.TryParse(text, out var seconds) ? Bounded(Math.Min(seconds, 1L << 30)) : Longest;
        return DateTimeOffset.TryParseExact(
            text, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? Bounded((date - now).TotalSeconds)
            : Default;
    }

    private static TimeSpan Bounded(double seconds)
        => TimeSpan.FromSeconds(Math.Clamp(seconds, Shortest.TotalSeconds, Longest.TotalSeconds));
}
