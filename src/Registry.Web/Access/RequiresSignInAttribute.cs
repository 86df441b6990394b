using Microsoft.AspNetCore.Mvc.Filters;
using Registry.Application.Access;
using Registry.Domain.Access;

namespace Registry.Web.Access;

/// <summary>
/// What clients ask first, to learn whether they need credentials (distribution-spec, "Determining Support"): who has
/// some may go on, and where nobody can have any, who may pull something. Where users can sign in, everybody else is
/// asked to, unless everybody may push everywhere: a client that is not asked here never shows what it has.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class RequiresSignInAttribute : Attribute, IAuthorizationFilter
{
    public void OnAuthorization(AuthorizationFilterContext context)
    {
        var http = context.HttpContext;
        var access = http.RequestServices.GetRequiredService<AccessOptions>();
        var allowed = access.HasProviders() && access.Anonymous is not AnonymousAccess.Push
            ? RequestPrincipal.Of(http).IsSignedIn
            : RepositoryAccess.IsAllowed(http, repository: null, RegistryAction.Pull);
        if (!allowed)
            context.Result = AccessRefusal.Of(http, RegistryAction.Pull);
    }
}
