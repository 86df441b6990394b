using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Web.Errors;

namespace Registry.Web.Access;

/// <summary>
/// The answer to who may not do something: the same whether the thing exists or not. Who shows user and password is
/// told that it may not; who shows nothing, or a token, which another one can exceed, is asked for a token.
/// </summary>
internal static class AccessRefusal
{
    public static IActionResult Of(HttpContext context, RegistryAction action)
    {
        var principal = RequestPrincipal.Of(context);
        var error = principal is { IsSignedIn: true, Token: null } ? OciError.ActionDenied(action)
            : context.RequestServices.GetRequiredService<AccessOptions>().IsUndecided() && principal.Token is null
                ? OciError.AccessUndecided()
            : principal.Token is not null ? OciError.TokenInsufficient(action)
            : OciError.Unauthenticated();
        return ErrorAnswer.From(context, error);
    }
}
