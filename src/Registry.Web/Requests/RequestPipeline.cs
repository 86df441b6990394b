using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.HttpOverrides;
using Registry.Web.Access;
using Registry.Web.Configuration;
using Registry.Web.Distribution;
using Registry.Web.Errors;

namespace Registry.Web.Requests;

/// <summary>
/// What happens to the registry's own paths before routing, in whichever application they are mapped: a host's other
/// paths are left alone.
/// </summary>
internal sealed class RequestPipeline(RegistryOptions options, SecurityHeaders security) : IStartupFilter
{
    // Requests to change something have a name and a few settings in them. Blobs and manifests have other limits.
    private const long MaxAdminBodyBytes = 1024 * 1024;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseWhen(context => IsOurs(context.Request.Path), ours =>
        {
            if (options.ForwardedHeaders.Networks.Count > 0)
                ours.UseForwardedHeaders(Forwarded()); // before anything else looks at where a request comes from
            ours.UseMiddleware<RequestLog>();
            ours.Use(PrepareAsync);
            ours.UseMiddleware<FailureAnswers>();
            if (options.Cors.Origins.Count > 0)
                ours.UseCors(WebServices.CorsPolicy);
            if (options.Limits.RequestsPerSecond > 0)
                ours.UseMiddleware<RequestRate>();
            ours.Use(RepositoryPath.RouteAsync);
            ours.UseMiddleware<SignIn>();
            if (options.Limits.PrincipalRequestsPerSecond > 0)
                ours.UseMiddleware<PrincipalRate>();
        });
        next(app);
    };

    private Task PrepareAsync(HttpContext context, RequestDelegate next)
    {
        security.Set(context);
        if (ErrorAnswer.IsAdminApi(context)
            && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body)
            body.MaxRequestBodySize = MaxAdminBodyBytes;
        return next(context);
    }

    // As many proxies behind one another as there are in the networks: the first address from the right that is in none
    // of them is the client's, and what stands before it is what that client says.
    private ForwardedHeadersOptions Forwarded()
    {
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto
                | ForwardedHeaders.XForwardedHost,
            ForwardLimit = null,
        };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in options.ForwardedHeaders.Networks)
            forwarded.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(network));
        return forwarded;
    }

    // What clients ask for, and not what watches over the server.
    public static bool IsApi(PathString path)
        => path.StartsWithSegments("/v2", StringComparison.OrdinalIgnoreCase)
            || path.StartsWithSegments("/v1/search", StringComparison.OrdinalIgnoreCase)
            || path.StartsWithSegments("/api/v1", StringComparison.OrdinalIgnoreCase)
            || IsToken(path);

    /// <summary>Where tokens are got.</summary>
    public static bool IsToken(PathString path)
        => path.StartsWithSegments("/token", StringComparison.OrdinalIgnoreCase);

    /// <summary>Where distribution clients ask for lists of repositories.</summary>
    public static bool IsList(PathString path)
        => path.Equals("/v2/_catalog", StringComparison.OrdinalIgnoreCase)
            || path.Equals("/v2/tags/list", StringComparison.OrdinalIgnoreCase)
            || path.StartsWithSegments("/v1/search", StringComparison.OrdinalIgnoreCase);

    // Without regard to case, as routing compares: no spelling of a path reaches an action past this.
    public static bool IsOurs(PathString path)
        => IsApi(path)
            || path.StartsWithSegments("/healthz", StringComparison.OrdinalIgnoreCase)
            || path.Equals("/metrics", StringComparison.OrdinalIgnoreCase);
}
