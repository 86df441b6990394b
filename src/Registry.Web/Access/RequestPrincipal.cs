using Registry.Application.Access;
using Registry.Domain.Access;

namespace Registry.Web.Access;

/// <summary>Who sends a request.</summary>
internal static class RequestPrincipal
{
    public static Principal Of(HttpContext context)
        => context.Features.Get<Principal>()
            ?? (context.RequestServices.GetRequiredService<AccessOptions>().IsUndecided()
                && LocalRequest.IsLocal(context)
                    ? Principal.Local
                    : Principal.Anonymous);

    /// <summary>
    /// Who asks for a list, once that is allowed: what a bearer token says of single repositories does not limit it.
    /// </summary>
    public static Principal ForLists(HttpContext context) => Of(context) with { Token = null };
}
