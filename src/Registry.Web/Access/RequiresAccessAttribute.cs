using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Web.Distribution;
using Registry.Web.Errors;

namespace Registry.Web.Access;

/// <summary>
/// What an action does to the repository of its path, or, where the path names none, what the caller must be able to do
/// somewhere. Decided before a byte of the body is read.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class RequiresAccessAttribute(RegistryAction action) : Attribute, IAuthorizationFilter
{
    public RegistryAction Action { get; } = action;

    public void OnAuthorization(AuthorizationFilterContext context)
    {
        var repository = context.HttpContext.Features.Get<RequestedRepository>()?.Resolve(context.HttpContext);
        if (!RepositoryAccess.IsAllowed(context.HttpContext, repository?.Identity, Action))
            context.Result = Refuse(context.HttpContext);
    }

    private static IActionResult Refuse(HttpContext context)
    {
        var error = context.RequestServices.GetRequiredService<AccessOptions>().Anonymous is null
            ? OciError.AccessUndecided()
            : OciError.Unauthenticated();
        return context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
            ? ProblemResult.From(error)
            : OciErrorResult.From(error);
    }
}
