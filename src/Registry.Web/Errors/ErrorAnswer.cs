using Microsoft.AspNetCore.Mvc;
using Registry.Domain.Errors;

namespace Registry.Web.Errors;

/// <summary>An error in the form that the API of the request's path has.</summary>
internal static class ErrorAnswer
{
    public static IActionResult From(HttpContext context, OciError error)
        => IsAdminApi(context) ? ProblemResult.From(error) : OciErrorResult.From(error);

    /// <summary>Answers a request whose response has not begun.</summary>
    public static Task WriteAsync(HttpContext context, OciError error)
        => IsAdminApi(context)
            ? ProblemResult.WriteAsync(context, [error])
            : OciErrorResult.WriteAsync(context, [error]);

    public static bool IsAdminApi(HttpContext context)
        => context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase);
}
