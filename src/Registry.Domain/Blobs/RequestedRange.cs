using System.Globalization;

namespace Registry.Domain.Blobs;

/// <summary>
/// The one range of a <c>Range</c> header (RFC 9110, section 14.1.2), before the size of what it is about is known.
/// </summary>
/// <param name="First">Null when the last bytes are asked for.</param>
/// <param name="Last">The last byte, or how many of the last ones; null goes to the end.</param>
public readonly record struct RequestedRange(long? First, long? Last)
{
    private const string Unit = "bytes=";

    /// <summary>
    /// Null when everything is to be sent: there is no range, there are several, or unit or form are unknown.
    /// </summary>
    public static RequestedRange? Parse(string? header)
    {
        if (header is null || !header.StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
            return null;

        var text = header.AsSpan(Unit.Length).Trim();
        var dash = text.IndexOf('-');
        if (dash < 0
            || !TryReadOffset(text[..dash], out var first)
            || !TryReadOffset(text[(dash + 1)..], out var last)
            || (first is null && last is null)
            || last < first)
            return null;
        return new(first, last);
    }

    /// <summary>The range within <paramref name="size"/> bytes; null when none of them lies in it.</summary>
    public ByteRange? Within(long size)
    {
        var first = First ?? Math.Max(0, size - Last!.Value);
        var last = First is null ? size - 1 : Math.Min(Last ?? long.MaxValue, size - 1);
        return first <= last && (First is not null || Last > 0) ? new ByteRange(first, last) : null;
    }

    // Null when there is no number; one that is too large for any content counts as the largest.
    private static bool TryReadOffset(ReadOnlySpan<char> text, out long? offset)
    {
        offset = text.IsEmpty
            ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : long.MaxValue;
        return !text.ContainsAnyExceptInRange('0', '9');
    }
}
