using Microsoft.AspNetCore.Mvc.Filters;
using Registry.Application.Access;
using Registry.Domain.Access;

namespace Registry.Web.Access;

/// <summary>
/// What clients ask first, to learn whether they need credentials (distribution-spec, "Determining Support"): everybody
/// is asked to sign in, unless everybody may push everywhere. A client that is not asked here never shows what it has;
/// one that has nothing gets a token for what everybody may do.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class RequiresSignInAttribute : AccessAttribute, IAuthorizationFilter
{
    public void OnAuthorization(AuthorizationFilterContext context)
    {
        var http = context.HttpContext;
        var access = http.RequestServices.GetRequiredService<AccessOptions>();
        var principal = RequestPrincipal.Of(http);
        var allowed = principal.IsSignedIn || principal.Token is not null || principal == Principal.Local
            || access.Anonymous is AnonymousAccess.Push;
        if (!allowed)
            context.Result = AccessRefusal.Of(http, RegistryAction.Pull);
    }
}
