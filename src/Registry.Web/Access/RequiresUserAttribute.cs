using Microsoft.AspNetCore.Mvc.Filters;
using Registry.Domain.Access;

namespace Registry.Web.Access;

/// <summary>
/// Marks an action in which callers see and change what is their own: whoever shows credentials themselves, no token
/// that was issued for something else.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class RequiresUserAttribute : AccessAttribute, IAuthorizationFilter
{
    public void OnAuthorization(AuthorizationFilterContext context)
    {
        if (RequestPrincipal.Of(context.HttpContext) is not { IsSignedIn: true, Token: null })
            context.Result = AccessRefusal.Of(context.HttpContext, RegistryAction.Pull);
    }
}
