using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace Registry.Web.Admin;

/// <summary>
/// Versions of what the admin API changes, as <c>ETag</c> and <c>If-Match</c> (RFC 9110, section 13.1.1).
/// </summary>
internal static class EntityVersion
{
    /// <summary>No version of anything.</summary>
    private const long Never = -1;

    public static void Show(HttpResponse response, long version)
        => response.Headers.ETag = $"\"{version.ToString(CultureInfo.InvariantCulture)}\"";

    /// <summary>
    /// The version that the request is about; null when any will do. One that cannot be read is none.
    /// </summary>
    public static long? Wanted(HttpRequest request)
    {
        var header = request.Headers.IfMatch;
        if (header.Count == 0)
            return null;
        if (!EntityTagHeaderValue.TryParseStrictList(header, out var tags) || tags is not [var tag])
            return Never;
        if (tag.Equals(EntityTagHeaderValue.Any))
            return null;
        return !tag.IsWeak
            && long.TryParse(
                tag.Tag.AsSpan().Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
                ? version
                : Never;
    }
}
