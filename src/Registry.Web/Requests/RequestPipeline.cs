using Registry.Web.Access;
using Registry.Web.Configuration;
using Registry.Web.Distribution;

namespace Registry.Web.Requests;

/// <summary>
/// What happens to the registry's own paths before routing, in whichever application they are mapped: a host's other
/// paths are left alone.
/// </summary>
internal sealed class RequestPipeline(RegistryOptions options) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseWhen(context => IsOurs(context.Request.Path), ours =>
        {
            ours.UseMiddleware<RequestLog>();
            ours.UseMiddleware<FailureAnswers>();
            if (options.Cors.Origins.Count > 0)
                ours.UseCors(WebServices.CorsPolicy);
            if (options.Limits.RequestsPerSecond > 0)
                ours.UseMiddleware<RequestRate>();
            ours.Use(RepositoryPath.RouteAsync);
            ours.UseMiddleware<SignIn>();
        });
        next(app);
    };

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
