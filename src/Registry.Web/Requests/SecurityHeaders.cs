using System.Globalization;
using Microsoft.Extensions.Primitives;
using Registry.Web.Configuration;
using Registry.Web.Errors;

namespace Registry.Web.Requests;

/// <summary>
/// What tells a browser to make nothing of an answer but what it is: whatever somebody has pushed, it is no page of the
/// registry's, runs nothing, and is shown in no frame. All values are made once.
/// </summary>
internal sealed class SecurityHeaders(RegistryOptions options)
{
    private static readonly StringValues NoSniff = "nosniff";
    private static readonly StringValues NoReferrer = "no-referrer";
    private static readonly StringValues NoStore = "no-store";
    private static readonly StringValues Deny = "DENY";

    // An answer that a browser shows all the same has an origin of its own, and may load and run nothing.
    private static readonly StringValues Nothing = "default-src 'none'; frame-ancestors 'none'; sandbox";

    // Swagger UI styles its elements one by one, and draws its icons from data addresses.
    private static readonly StringValues OwnPage
        = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private readonly StringValues _transport = options.Tls.HstsMaxAge > TimeSpan.Zero
        ? string.Create(CultureInfo.InvariantCulture, $"max-age={(long)options.Tls.HstsMaxAge.TotalSeconds}")
        : StringValues.Empty;

    /// <summary>For answers of the APIs. What an action says itself counts more, when it says it.</summary>
    public void Set(HttpContext context)
    {
        var headers = context.Response.Headers;
        SetCommon(context, headers);
        headers.ContentSecurityPolicy = Nothing;
        if (ErrorAnswer.IsAdminApi(context) || RequestPipeline.IsToken(context.Request.Path))
            headers.CacheControl = NoStore;
    }

    /// <summary>For the pages that describe the admin API.</summary>
    public void SetOfPage(HttpContext context)
    {
        var headers = context.Response.Headers;
        SetCommon(context, headers);
        headers.ContentSecurityPolicy = OwnPage;
        headers.XFrameOptions = Deny;
    }

    private void SetCommon(HttpContext context, IHeaderDictionary headers)
    {
        headers.XContentTypeOptions = NoSniff;
        headers["Referrer-Policy"] = NoReferrer;
        if (_transport.Count > 0 && context.Request.IsHttps)
            headers.StrictTransportSecurity = _transport;
    }
}
