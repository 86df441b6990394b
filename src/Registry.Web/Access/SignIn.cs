using Microsoft.AspNetCore.Authentication;
using Registry.Application.Access;
using Registry.Domain.Errors;
using Registry.Web.Errors;
using Registry.Web.Requests;

namespace Registry.Web.Access;

/// <summary>
/// Finds out who shows credentials, once for a request and before anything is done for it. Wrong ones are refused even
/// where none are needed: the client believes itself to be somebody it is not. The handler leaves the principal in the
/// request's features.
/// </summary>
internal sealed class SignIn(RequestDelegate next, IStoredAccess stored)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (!RequestPipeline.IsApi(context.Request.Path))
        {
            await next(context);
            return;
        }

        await stored.EnsureFreshAsync(context.RequestAborted);
        if (context.Request.Headers.Authorization.Count > 0)
        {
            var scheme = SchemeOf(context.Request.Headers.Authorization.ToString());
            var handler = context.RequestServices.GetRequiredKeyedService<IAuthenticationHandler>(scheme);
            await handler.InitializeAsync(new(scheme, displayName: null, handler.GetType()), context);
            await handler.AuthenticateAsync();
            if (context.Features.Get<OciError>() is { } refusal)
            {
                await ErrorAnswer.WriteAsync(context, refusal);
                return;
            }
        }

        await next(context);
    }

    // What is neither of them is refused by the one for users and passwords.
    private static string SchemeOf(string header)
        => header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            ? CredentialSchemes.Bearer
            : CredentialSchemes.Basic;
}
