using Registry.Application.Access;
using Registry.Domain.Access;

namespace Registry.Web.Access;

/// <summary>Who sends a request.</summary>
internal static class RequestPrincipal
{
    /// <summary>
    /// Null when nobody has said what requests without credentials may do; until then those of this machine may do everything.
    /// </summary>
    public static Principal? Find(HttpContext context)
        => context.RequestServices.GetRequiredService<AccessOptions>().Anonymous is not null || LocalRequest.IsLocal(context)
            ? Principal.Anonymous
            : null;

    /// <summary>For actions, which run only once <see cref="RequiresAccessAttribute"/> has let the request pass.</summary>
    public static Principal Of(HttpContext context)
        => Find(context) ?? throw new InvalidOperationException("An action ran without an access decision.");
}
