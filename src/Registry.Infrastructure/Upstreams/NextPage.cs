namespace Registry.Infrastructure.Upstreams;

/// <summary>The page that a <c>Link</c> header names as the next one (RFC 8288).</summary>
internal static class NextPage
{
    /// <returns>Its address as written; null when there is none.</returns>
    public static string? Find(string? header)
    {
        // Commas and semicolons within the address are part of it: it stands in angle brackets.
        for (var rest = header ?? ""; rest.IndexOf('<', StringComparison.Ordinal) is var start and >= 0;)
        {
            var end = rest.IndexOf('>', start);
            if (end < 0)
                return null;
            var target = rest[(start + 1)..end];
            rest = rest[(end + 1)..];
            var next = rest.IndexOf('<', StringComparison.Ordinal);
            var parameters = next < 0 ? rest : rest[..next];
            if (parameters.Split(';', ',').Any(IsNext))
                return target;
        }

        return null;
    }

    private static bool IsNext(string parameter)
        => parameter.Split('=', 2) is [var name, var value]
            && name.Trim().Equals("rel", StringComparison.OrdinalIgnoreCase)
            && value.Trim().Trim('"').Split(' ').Contains("next", StringComparer.OrdinalIgnoreCase);
}
