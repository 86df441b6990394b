using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Web.Access;

/// <summary>Asks the policy on behalf of a request.</summary>
internal static class RepositoryAccess
{
    /// <param name="repository">Null asks whether there can be any repository in which the caller may do this.</param>
    public static bool IsAllowed(HttpContext context, RepositoryIdentity? repository, RegistryAction action)
    {
        var (policy, principal)
            = (context.RequestServices.GetRequiredService<IAccessPolicy>(), RequestPrincipal.Of(context));
        return repository is null
            ? policy.AllowsAnywhere(principal, action)
            : policy.Allows(principal, repository, action);
    }
}
