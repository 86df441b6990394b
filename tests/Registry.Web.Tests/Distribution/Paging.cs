using System.Text.RegularExpressions;

namespace Registry.Web.Tests.Distribution;

internal static partial class Paging
{
    /// <summary>The target of <c>Link: &lt;…&gt;; rel="next"</c>; null on the last page.</summary>
    public static string? Next(Answer page)
    {
        if (page.Header("Link") is not { } link)
            return null;
        var match = Form().Match(link);
        Assert.True(match.Success, $"'{link}' is not of RFC 8288's form.");
        return match.Groups["target"].Value;
    }

    [GeneratedRegex("^<(?<target>[^>]+)>; ?rel=\"next\"\\z")]
    private static partial Regex Form();
}
