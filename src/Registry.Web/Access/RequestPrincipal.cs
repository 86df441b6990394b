using Registry.Application.Access;
using Registry.Domain.Access;

namespace Registry.Web.Access;

/// <summary>Who sends a request.</summary>
internal static class RequestPrincipal
{
    public static Principal Of(HttpContext context)
        => context.RequestServices.GetRequiredService<AccessOptions>().Anonymous is null
            && LocalRequest.IsLocal(context)
            ? Principal.Local
            : Principal.Anonymous;
}
