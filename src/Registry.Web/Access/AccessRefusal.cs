using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Web.Errors;

namespace Registry.Web.Access;

/// <summary>
/// The answer to who may not do something: the same whether the thing exists or not. Who is signed in is told that it
/// may not, everybody else to sign in.
/// </summary>
internal static class AccessRefusal
{
    public static IActionResult Of(HttpContext context, RegistryAction action)
    {
        var error = RequestPrincipal.Of(context).IsSignedIn ? OciError.ActionDenied(action)
            : context.RequestServices.GetRequiredService<AccessOptions>().IsUndecided() ? OciError.AccessUndecided()
            : OciError.Unauthenticated();
        return context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
            ? ProblemResult.From(error)
            : OciErrorResult.From(error);
    }
}
