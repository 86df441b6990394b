using System.Diagnostics.CodeAnalysis;

namespace Registry.Domain.Catalog;

/// <summary>
/// Which part of a list is wanted: up to <paramref name="Size"/> entries behind the key <paramref name="After"/>, in
/// byte order.
/// </summary>
/// <param name="After">Need not exist (any more); null starts at the beginning.</param>
public sealed record PageRequest(int Size, string? After)
{
    /// <summary>Page size when none is asked for, and the most that one answer carries.</summary>
    public const int MaxSize = 10_000;

    /// <summary>
    /// Reads the query parameters <c>n</c> and <c>last</c> (distribution-spec, "Listing Tags"). False when
    /// <paramref name="n"/> is not a whole number from 0; one above <see cref="MaxSize"/> counts as
    /// <see cref="MaxSize"/>.
    /// </summary>
    public static bool TryParse(string? n, string? last, [NotNullWhen(true)] out PageRequest? page)
    {
        page = null;
        var size = MaxSize;
        if (n is not null)
        {
            if (n.Length is 0 or > 100 || !n.All(char.IsAsciiDigit))
                return false;
            size = int.TryParse(n, out var wanted) ? Math.Min(wanted, MaxSize) : MaxSize;
        }

        // No key holds a NUL, and PostgreSQL takes none: what stands before it sorts the same.
        page = new(size, string.IsNullOrEmpty(last) ? null : last.Split('\0', 2)[0]);
        return true;
    }
}
