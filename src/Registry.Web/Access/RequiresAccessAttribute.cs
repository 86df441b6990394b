using Microsoft.AspNetCore.Mvc.Filters;
using Registry.Domain.Access;
using Registry.Web.Distribution;

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
            context.Result = AccessRefusal.Of(context.HttpContext, Action);
    }
}
