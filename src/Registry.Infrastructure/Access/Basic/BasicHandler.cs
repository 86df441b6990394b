using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Infrastructure.Access.Basic;

/// <summary>
/// User and password of a request (RFC 7617, in UTF-8). The request's features then hold the <see cref="Principal"/>,
/// or the <see cref="OciError"/> that tells why there is none.
/// </summary>
internal sealed class BasicHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, CredentialCheck credentials)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, UrlEncoder.Default)
{
    private const string Prefix = "Basic ";
    private const int MaxLength = 8192;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (header.Length == 0)
            return AuthenticateResult.NoResult();
        if (Parse(header) is not var (user, password))
            return HandlerOutcome.Refuse(Context, OciError.CredentialsUnreadable());
        if (user.Length == 0 && password.Length == 0)
            return AuthenticateResult.NoResult(); // how some clients say that they have none

        var verified = await credentials.VerifyAsync(
            user, password, Context.Connection.RemoteIpAddress, Context.RequestAborted);
        return verified.Match(
            principal => HandlerOutcome.Accept(Context, Scheme.Name, principal),
            errors => HandlerOutcome.Refuse(Context, errors[0]));
    }

    private static (string User, string Password)? Parse(string header)
    {
        if (header.Length > MaxLength || !header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            return null;
        try
        {
            var bytes = Convert.FromBase64String(header[Prefix.Length..].Trim());
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            return colon < 0 ? null : (text[..colon], text[(colon + 1)..]);
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            return null;
        }
    }
}
