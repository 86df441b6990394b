namespace Registry.Domain.Catalog;

/// <summary>One page of a list.</summary>
/// <param name="More">True when entries follow behind the last one.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, bool More)
{
    /// <summary>
    /// Makes a page of up to <paramref name="size"/> entries out of what was read, one more than asked at most.
    /// </summary>
    public static Page<T> Of(IReadOnlyList<T> read, int size)
        => read.Count > size ? new([.. read.Take(size)], More: size > 0) : new(read, More: false);
}
