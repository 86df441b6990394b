using System.Text;

namespace Registry.Web.Distribution;

/// <summary>
/// What a client should tell its user although the request was carried out (distribution-spec, "Warnings").
/// </summary>
internal static class WarningHeader
{
    // Of all warnings of one response together.
    private const int MaxBytes = 4096;

    /// <summary>Adds a warning; one for which there is no room is left out.</summary>
    /// <param name="text">A sentence; what is not printable ASCII becomes a question mark.</param>
    public static void Add(HttpResponse response, string text)
    {
        var value = new StringBuilder("299 - \"");
        foreach (var c in text)
        {
            if (c is '"' or '\\')
                value.Append('\\');
            value.Append(c is >= ' ' and <= '~' ? c : '?');
        }

        value.Append('"');
        var before = response.Headers.Warning;
        if (before.Sum(warning => warning!.Length) + value.Length <= MaxBytes)
            response.Headers.Warning = new([.. before, value.ToString()]);
    }
}
