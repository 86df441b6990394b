using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Registry.Domain.Errors;
using Registry.Web.Errors;

namespace Registry.Web.Admin;

/// <summary>
/// Marks an action with a JSON body: up to 64 KiB are read, and one that is not what the action takes is refused, with
/// the place that is wrong and without what stands there.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class ReadsJsonAttribute : Attribute, IActionFilter, IOrderedFilter
{
    /// <summary>Before the framework's own answer to another content type, which has no body.</summary>
    public int Order => -10_000;

    public void OnActionExecuting(ActionExecutingContext context)
    {
        if (context.ModelState.IsValid)
            return;
        var wrong = context.ModelState.First(entry => entry.Value is { ValidationState: ModelValidationState.Invalid });
        var (place, error) = (wrong.Key, wrong.Value!.Errors[0]);
        var problem = error.Exception is UnsupportedContentTypeException || IsMissing(place, error)
            ? "must be a JSON document (Content-Type: application/json)"
            : "has a member that is unknown, missing or of another type";
        context.Result = ProblemResult.From(OciError.RequestInvalid(
            place.TrimStart('$', '.') is { Length: > 0 } member
                ? $"The body {problem}: '{OciError.Shorten(member)}'."
                : $"The body {problem}."));
    }

    public void OnActionExecuted(ActionExecutedContext context)
    {
    }

    // Of a body that is not there at all, the framework names no place.
    private static bool IsMissing(string place, ModelError error)
        => place.Length == 0 && error.ErrorMessage.Contains("body is required", StringComparison.Ordinal);
}
