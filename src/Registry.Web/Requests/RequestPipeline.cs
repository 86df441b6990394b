using Registry.Web.Configuration;
using Registry.Web.Distribution;

namespace Registry.Web.Requests;

/// <summary>
/// What happens to the registry's own paths before routing, in whichever application they are mapped: a host's other paths are
/// left alone.
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
            ours.Use(RepositoryPath.RouteAsync);
        });
        next(app);
    };

    public static bool IsOurs(PathString path)
        => path.StartsWithSegments("/v2", StringComparison.Ordinal)
            || path.StartsWithSegments("/v1/search", StringComparison.Ordinal)
            || path.StartsWithSegments("/api/v1", StringComparison.Ordinal)
            || path.StartsWithSegments("/healthz", StringComparison.Ordinal)
            || path == "/metrics";
}
