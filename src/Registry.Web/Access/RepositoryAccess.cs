using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Web.Access;

/// <summary>Asks the policy on behalf of a request.</summary>
internal static class RepositoryAccess
{
    public static bool IsAllowed(HttpContext context, RepositoryIdentity repository, RegistryAction action)
        => RequestPrincipal.Find(context) is { } principal
            && context.RequestServices.GetRequiredService<IAccessPolicy>().Allows(principal, repository, action);
}
