using System.Text.Json;
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
        // Of a body that is not there, or of another type, the framework names no place but the parameter.
        var body = context.ActionDescriptor.Parameters.FirstOrDefault(
            parameter => parameter.BindingInfo?.BindingSource == BindingSource.Body);
        var place = context.ModelState
            .Where(entry => entry.Value is { ValidationState: ModelValidationState.Invalid })
            .Select(entry => entry.Key)
            .FirstOrDefault(key => key.Length > 0 && key != body?.Name);
        context.Result = ProblemResult.From(OciError.RequestInvalid(place is null
            ? "The body must be a JSON document (Content-Type: application/json)."
            : $"The body has something that is unknown, missing or of another type at '{NameOf(place)}'."));
    }

    public void OnActionExecuted(ActionExecutedContext context)
    {
    }

    // As the document has it: what is not in it the framework calls by the name in the code.
    private static string NameOf(string place)
        => place.StartsWith('$') ? OciError.Shorten(place) : JsonNamingPolicy.CamelCase.ConvertName(place);
}
