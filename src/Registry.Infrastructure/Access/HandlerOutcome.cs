using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Access;

/// <summary>
/// How the handlers leave what they have found out: as a feature of the request, for it is no claim set.
/// </summary>
internal static class HandlerOutcome
{
    public static AuthenticateResult Accept(HttpContext context, string scheme, Principal principal)
    {
        context.Features.Set(principal);
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, principal.Name)], scheme);
        return AuthenticateResult.Success(new(new ClaimsPrincipal(identity), scheme));
    }

    public static AuthenticateResult Refuse(HttpContext context, OciError error)
    {
        context.Features.Set(error);
        return AuthenticateResult.Fail(error.Message);
    }
}
