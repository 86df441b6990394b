namespace Registry.Web.Distribution;

/// <summary>
/// What a client should tell its user although the request was carried out (distribution-spec, "Warnings").
/// </summary>
internal static class WarningHeader
{
    /// <param name="text">A sentence of printable ASCII without quotation marks and backslashes.</param>
    public static void Set(HttpResponse response, string text) => response.Headers.Warning = $"299 - \"{text}\"";
}
