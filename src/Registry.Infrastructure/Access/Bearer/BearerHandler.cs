using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Access.Bearer;

/// <summary>
/// The bearer token of a request (RFC 6750). The signature is checked once for each token; at every request it is
/// judged whether the token counts, and who its account is now. The request's features then hold the
/// <see cref="Principal"/>, or the <see cref="OciError"/> that tells why there is none.
/// </summary>
internal sealed class BearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, BearerTokens tokens, ReadTokens read,
    Accounts accounts, IStoredAccess stored)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, UrlEncoder.Default)
{
    private const string Prefix = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            return AuthenticateResult.NoResult();
        var text = header[Prefix.Length..].Trim();
        if (read.Find(text) is not { } token)
        {
            var found = await tokens.ReadAsync(text, Context.RequestAborted);
            if (!found.TryGet(out token, out var errors))
                return HandlerOutcome.Refuse(Context, errors[0]);
            read.Add(text, token);
        }

        if (tokens.Judge(token, Request.Host.Value?.ToLowerInvariant() ?? "") is { } refusal)
            return HandlerOutcome.Refuse(Context, refusal);
        if (stored.Current.RevokedBefore.TryGetValue(token.Principal.Name, out var revoked)
            && token.IssuedAt <= revoked)
            return HandlerOutcome.Refuse(Context, OciError.TokenInvalid("was revoked"));
        if (token.Account is null)
            return HandlerOutcome.Accept(Context, Scheme.Name, token.Principal with { Token = token.Scope });

        var now = await accounts.FindAsync(token.Account, Context.RequestAborted);
        if (!now.TryGet(out var principal, out var problems))
            return HandlerOutcome.Refuse(Context, problems[0]);
        return principal is not null && principal.Name == token.Principal.Name
            ? HandlerOutcome.Accept(Context, Scheme.Name, principal with { Token = token.Scope })
            : HandlerOutcome.Refuse(Context, OciError.TokenInvalid("belongs to nobody any more"));
    }
}
