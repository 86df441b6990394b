using Microsoft.AspNetCore.Mvc.Filters;
using Registry.Domain.Access;
using Registry.Web.Distribution;

namespace Registry.Web.Access;

/// <summary>
/// What an action does to the repository of its path, or, where the path names none, what the caller must be able to do
/// somewhere. Decided before a byte of the body is read.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class RequiresAccessAttribute(RegistryAction action) : AccessAttribute, IAuthorizationFilter
{
    public RegistryAction Action { get; } = action;

    public void OnAuthorization(AuthorizationFilterContext context)
    {
        var http = context.HttpContext;
        var allowed = http.Features.Get<RequestedRepository>() is { } requested
            ? IsAllowed(http, requested)
            : RepositoryAccess.IsListAllowed(http, Action);
        if (!allowed)
            context.Result = AccessRefusal.Of(http, Action);
    }

    // A name that no registry takes is refused like one that the caller may not use, so that nobody finds out which
    // registries there are; only who may do this in every repository is told what is wrong with the name.
    private bool IsAllowed(HttpContext context, RequestedRepository requested)
        => requested.Resolve(context) is { } address
            ? RepositoryAccess.IsAllowed(context, address.Identity, Action)
            : RepositoryAccess.IsAllowedEverywhere(context, Action);
}
