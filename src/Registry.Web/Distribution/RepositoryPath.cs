namespace Registry.Web.Distribution;

/// <summary>
/// Splits <c>/v2/&lt;name&gt;/…</c> from the right, because a name has slashes and may itself hold <c>manifests</c>,
/// <c>blobs</c>, <c>uploads</c>, <c>tags</c> or <c>referrers</c>. Routing sees one segment in its place, so that
/// templates read like the spec's.
/// </summary>
internal static class RepositoryPath
{
    private const string Prefix = "/v2/";

    // Stands for the name while the request is routed; no repository can be called so.
    private const string Placeholder = "-";

    /// <summary>The name and what follows it; null for a path that names no repository.</summary>
    public static (string Name, string Endpoint)? Split(string path)
    {
        if (!path.StartsWith(Prefix, StringComparison.Ordinal))
            return null;

        var end = path.EndsWith("/uploads/", StringComparison.Ordinal) ? path.Length - 1 : path.Length;
        var last = path.LastIndexOf('/', end - 1);
        if (last <= Prefix.Length)
            return null;
        var before = path.LastIndexOf('/', last - 1);
        var segment = path.AsSpan(last + 1, end - last - 1);
        var keyword = path.AsSpan(before + 1, last - before - 1);

        // What follows the name: "/uploads" and "/uploads/<id>" stand behind "/blobs", the rest is two segments.
        var start = keyword switch
        {
            "manifests" or "referrers" => before,
            "tags" when segment is "list" => before,
            "uploads" when path.AsSpan(0, before).EndsWith("/blobs") => before - "/blobs".Length,
            "blobs" => before,
            _ => -1,
        };
        return start >= Prefix.Length ? (path[Prefix.Length..start], path[start..]) : null;
    }

    /// <summary>
    /// Puts the repository aside for <see cref="RequestedRepository"/> and shortens the path for routing.
    /// </summary>
    public static Task RouteAsync(HttpContext context, RequestDelegate next)
    {
        if (Split(context.Request.Path.Value ?? "") is { } split)
        {
            context.Features.Set(new RequestedRepository(split.Name, context.Request.Path));
            context.Request.Path = new PathString(string.Concat(Prefix, Placeholder, split.Endpoint));
        }

        return next(context);
    }
}
