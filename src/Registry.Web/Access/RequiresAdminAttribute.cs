using Microsoft.AspNetCore.Mvc.Filters;
using Registry.Domain.Access;

namespace Registry.Web.Access;

/// <summary>Marks an action for those who may administer the whole instance.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class RequiresAdminAttribute : AccessAttribute, IAuthorizationFilter
{
    public void OnAuthorization(AuthorizationFilterContext context)
    {
        if (!RepositoryAccess.IsAllowedEverywhere(context.HttpContext, RegistryAction.Admin))
            context.Result = AccessRefusal.Of(context.HttpContext, RegistryAction.Admin);
    }
}
