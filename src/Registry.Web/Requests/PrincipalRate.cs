using Registry.Domain.Access;
using Registry.Web.Errors;

namespace Registry.Web.Requests;

/// <summary>
/// Refuses requests of a principal that sends more of them than <c>Registry:Limits</c> lets it, from wherever: 429 with
/// <c>Retry-After</c>. Judged once it is known who asks; who shows no credentials has an address alone.
/// </summary>
internal sealed class PrincipalRate(RequestDelegate next, PrincipalLimiter limiter)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Features.Get<Principal>() is { } principal && limiter.Refuse(principal) is { } refusal)
        {
            await ErrorAnswer.WriteAsync(context, refusal);
            return;
        }

        await next(context);
    }
}
