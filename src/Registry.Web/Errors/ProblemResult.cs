using Microsoft.AspNetCore.Mvc;
using Registry.Domain.Errors;

namespace Registry.Web.Errors;

/// <summary>The same errors under <c>/api</c>, as <c>application/problem+json</c> (RFC 9457).</summary>
internal static class ProblemResult
{
    public static IActionResult From(IReadOnlyList<OciError> errors) => new Answer(errors);

    public static IActionResult From(OciError error) => new Answer([error]);

    /// <summary>Answers a request whose response has not begun.</summary>
    public static Task WriteAsync(HttpContext context, IReadOnlyList<OciError> errors)
    {
        OciErrorResult.SetStatus(context.Response, errors[0]);
        var problem = new ProblemDetails
        {
            Status = context.Response.StatusCode,
            Title = errors[0].Message,
            Extensions = { ["requestId"] = context.TraceIdentifier },
        };
        foreach (var (key, value) in errors[0].Detail ?? new Dictionary<string, string>(StringComparer.Ordinal))
            problem.Extensions[key] = value;
        return context.Response.WriteAsJsonAsync(
            problem, options: null, "application/problem+json", context.RequestAborted);
    }

    private sealed class Answer(IReadOnlyList<OciError> errors) : IActionResult
    {
        public Task ExecuteResultAsync(ActionContext context) => WriteAsync(context.HttpContext, errors);
    }
}
