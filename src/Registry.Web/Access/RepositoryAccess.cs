using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Repositories;
using Registry.Web.Distribution;

namespace Registry.Web.Access;

/// <summary>Asks the policy on behalf of a request.</summary>
internal static class RepositoryAccess
{
    /// <param name="repository">
    /// Null asks whether there can be any repository in which the caller may do this. Who is signed in may always ask
    /// for a list: it gets what it may see, if only an empty one.
    /// </param>
    public static bool IsAllowed(HttpContext context, RepositoryIdentity? repository, RegistryAction action)
    {
        var (policy, principal)
            = (context.RequestServices.GetRequiredService<IAccessPolicy>(), RequestPrincipal.Of(context));
        return repository is null
            ? IsList(context, principal) || policy.AllowsAnywhere(principal, action)
            : policy.Allows(principal, repository, action);
    }

    // A path that names a repository which no registry takes is no list: nobody finds out so what registries there are.
    private static bool IsList(HttpContext context, Principal principal)
        => principal.IsSignedIn && context.Features.Get<RequestedRepository>() is null;
}
