using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Web.Access;

/// <summary>Asks the policy on behalf of a request.</summary>
internal static class RepositoryAccess
{
    public static bool IsAllowed(HttpContext context, RepositoryIdentity repository, RegistryAction action)
        => context.RequestServices.GetRequiredService<IAccessPolicy>()
            .Allows(RequestPrincipal.Of(context), repository, action);

    /// <inheritdoc cref="IAccessPolicy.AllowsEverywhere"/>
    public static bool IsAllowedEverywhere(HttpContext context, RegistryAction action)
        => context.RequestServices.GetRequiredService<IAccessPolicy>()
            .AllowsEverywhere(RequestPrincipal.Of(context), action);

    /// <summary>
    /// Whether the caller may ask for a list. Who is signed in always may, and gets what it may see, if only an empty
    /// one; a bearer token must be one for lists, which are then not limited to the repositories that it names.
    /// </summary>
    public static bool IsListAllowed(HttpContext context, RegistryAction action)
    {
        var principal = RequestPrincipal.Of(context);
        if (principal.Token is { Lists: false })
            return false;
        return principal.IsSignedIn
            || context.RequestServices.GetRequiredService<IAccessPolicy>()
                .AllowsAnywhere(RequestPrincipal.ForLists(context), action);
    }
}
