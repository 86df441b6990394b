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
internal sealed class SignIn(RequestDelegate next)
{
    private const string Scheme = CredentialSchemes.Basic;

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization.Count > 0 && RequestPipeline.IsApi(context.Request.Path))
        {
            var handler = context.RequestServices.GetRequiredKeyedService<IAuthenticationHandler>(Scheme);
            await handler.InitializeAsync(new(Scheme, displayName: null, handler.GetType()), context);
            await handler.AuthenticateAsync();
            if (context.Features.Get<OciError>() is { } refusal)
            {
                await RefuseAsync(context, refusal);
                return;
            }
        }

        await next(context);
    }

    private static Task RefuseAsync(HttpContext context, OciError error)
        => context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
            ? ProblemResult.WriteAsync(context, [error])
            : OciErrorResult.WriteAsync(context, [error]);
}
