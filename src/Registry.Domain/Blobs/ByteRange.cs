using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Registry.Domain.Blobs;

/// <summary>A run of bytes, both ends inclusive, <c>0 ≤ First ≤ Last</c>.</summary>
public readonly record struct ByteRange(long First, long Last)
{
    public long Length => Last - First + 1;

    /// <summary>
    /// Reads the <c>Content-Range</c> of a chunk, <c>^[0-9]+-[0-9]+$</c> (distribution-spec, "Pushing a blob in
    /// chunks"): bare numbers, not the <c>bytes A-B/LEN</c> of RFC 9110. False when malformed, reversed or beyond 63
    /// bits.
    /// </summary>
    public static bool TryParseContentRange(string? text, [NotNullWhen(true)] out ByteRange? range)
    {
        range = null;
        if (text is null || text.IndexOf('-', StringComparison.Ordinal) is var dash && dash < 0)
            return false;
        if (!TryParseOffset(text.AsSpan(0, dash), out var first)
            || !TryParseOffset(text.AsSpan(dash + 1), out var last))
            return false;
        if (last < first || last == long.MaxValue)
            return false;

        range = new ByteRange(first, last);
        return true;
    }

    // TryParse alone would let NULs at the end through.
    private static bool TryParseOffset(ReadOnlySpan<char> digits, out long offset)
        => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out offset)
            && !digits.ContainsAnyExceptInRange('0', '9');
}
