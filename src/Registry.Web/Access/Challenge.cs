using System.Text;
using Registry.Domain.Errors;
using Registry.Web.Configuration;
using Registry.Web.Distribution;
using Registry.Web.Errors;
using Registry.Web.Requests;

namespace Registry.Web.Access;

/// <summary>What a 401 asks for (RFC 7235; Docker token specification, "Authentication").</summary>
internal static class Challenge
{
    /// <summary>
    /// Distribution clients are sent for a token, to this very host; the admin API and the place where tokens are got
    /// ask for user and password.
    /// </summary>
    public static string For(HttpContext context, OciError error)
    {
        var request = context.Request;
        if (ErrorAnswer.IsAdminApi(context) || RequestPipeline.IsToken(request.Path))
            return "Basic realm=\"registry\", charset=\"UTF-8\"";

        var challenge = new StringBuilder();
        challenge.Append("Bearer realm=\"").Append(Scheme(request)).Append("://").Append(ServiceOf(request));
        challenge.Append("/token").Append(Ns(context)).Append("\",service=\"").Append(ServiceOf(request)).Append('"');
        if (ScopeOf(context) is { } scope)
            challenge.Append(",scope=\"").Append(scope).Append('"');
        if (request.Headers.Authorization.Count > 0) // RFC 6750, section 3.1
        {
            challenge.Append(
                error.Code is OciErrorCode.Denied ? ",error=\"insufficient_scope\"" : ",error=\"invalid_token\"");
        }

        return challenge.ToString();
    }

    /// <summary>What tokens call this host: as the client calls it, with its port.</summary>
    public static string ServiceOf(HttpRequest request) => request.Host.Value?.ToLowerInvariant() ?? "";

    // As long as no proxy is known, one that says it got the request over TLS is believed: credentials are only sent
    // more safely then, and a client that claims it itself harms itself alone. Known ones have set the scheme already.
    private static string Scheme(HttpRequest request)
        => request.IsHttps
            || (request.Headers["X-Forwarded-Proto"].ToString().Equals("https", StringComparison.OrdinalIgnoreCase)
                && request.HttpContext.RequestServices.GetRequiredService<RegistryOptions>()
                    .ForwardedHeaders.Networks.Count == 0)
                ? "https"
                : "http";

    // What the scope's name means depends on it. Only a known one comes back: a host name, without quotation marks.
    private static string Ns(HttpContext context)
        => context.Features.Get<RequestedRepository>()?.Namespace(context) is { } ns
            ? $"?ns={Uri.EscapeDataString(ns)}"
            : "";

    private static string? ScopeOf(HttpContext context)
    {
        if (context.Features.Get<RequestedRepository>() is { } repository)
            return repository.IsName() ? $"repository:{repository.Text}:{Actions(context.Request, repository)}" : null;
        return RequestPipeline.IsList(context.Request.Path) ? "registry:catalog:*" : null;
    }

    // An upload session is asked about, and given up, by who pushes.
    private static string Actions(HttpRequest request, RequestedRepository repository)
        => repository.IsUpload() ? "pull,push"
            : HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) ? "pull"
            : HttpMethods.IsDelete(request.Method) ? "delete"
            : "pull,push";
}
