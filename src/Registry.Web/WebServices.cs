using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.OpenApi;
using Registry.Application;
using Registry.Application.Access;
using Registry.Domain.Blobs;
using Registry.Domain.Manifests;
using Registry.Domain.Repositories;
using Registry.Domain.Uploads;
using Registry.Infrastructure;
using Registry.Web.Admin;
using Registry.Web.Configuration;
using Registry.Web.Distribution;
using Registry.Web.Requests;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Registry.Web;

/// <summary>
/// The composition of the registry, for its own server as for any ASP.NET Core application that hosts it.
/// </summary>
public static class WebServices
{
    internal const string CorsPolicy = "registry";

    /// <summary>
    /// Adds a registry as the section <c>Registry</c> of <paramref name="configuration"/> describes it.
    /// </summary>
    /// <exception cref="StartRefusedException">
    /// The configuration cannot be used; the message names key, value and fix.
    /// </exception>
    public static IServiceCollection AddRegistry(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddRegistry(ConfigurationReader.Read(configuration));
        return services.AddHostedService(
            provider => new HostConfiguration(configuration, provider.GetRequiredService<RuleReload>()));
    }

    internal static IServiceCollection AddRegistry(this IServiceCollection services, RegistryOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton(options.Access);
        services.AddSingleton(new ConfiguredRules(ConfiguredRules.Read(options.Access)));
        services.AddSingleton<RuleReload>();
        services.AddSingleton(options.Delete);
        services.AddSingleton(options.Uploads);
        services.AddSingleton(options.Manifests);
        services.AddSingleton(options.GarbageCollection);
        services.AddApplication();
        services.AddInfrastructure(
            options.Data, options.Stores.AsReadOnly(), options.Database, options.Registries.AsReadOnly(),
            options.Access);

        services.AddSingleton<IStartupFilter, RequestPipeline>();
        services.AddSingleton<SecurityHeaders>();
        services.AddSingleton<AddressLimiter>();
        services.AddSingleton<PrincipalLimiter>();
        services.AddCors(cors => cors.AddPolicy(CorsPolicy, policy => policy
            .WithOrigins([.. options.Cors.Origins])
            .AllowAnyMethod()
            .AllowAnyHeader()
            .WithExposedHeaders(
                "Content-Range", "Docker-Content-Digest", "ETag", "Link", "Location", "OCI-Filters-Applied",
                "OCI-Subject", "OCI-Tag", "Range",
                "Retry-After", "Warning", "WWW-Authenticate", "X-Request-Id")));
        services.AddControllers(mvc =>
            {
                mvc.ModelBinderProviders.Insert(0, new RepositoryAddressBinder());
                // They are valid once they are parsed: nothing within them needs to be looked at for every request.
                Type[] parsed = [typeof(RepositoryAddress), typeof(Reference), typeof(Digest), typeof(UploadId)];
                foreach (var type in parsed)
                    mvc.ModelMetadataDetailsProviders.Add(new SuppressChildValidationMetadataProvider(type));
            })
            .ConfigureApplicationPartManager(AddOurControllers);
        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(swagger =>
        {
            swagger.SwaggerDoc(ApiDocument, new OpenApiInfo { Title = "Registry admin API", Version = "v1" });
            var comments = Path.Combine(AppContext.BaseDirectory, "Registry.Web.xml");
            if (File.Exists(comments))
                swagger.IncludeXmlComments(comments, includeControllerXmlComments: true);
            swagger.OperationFilter<SignInDescription>();
            swagger.DocumentFilter<SignInDescription>();
        });
        services.PostConfigure<SwaggerGenOptions>(swagger => // after whatever a host says of its own documents
        {
            var others = swagger.SwaggerGeneratorOptions.DocInclusionPredicate;
            swagger.DocInclusionPredicate(
                (document, api) => document == ApiDocument ? api.GroupName == ApiDocument : others(document, api));
        });
        return services;
    }

    /// <summary>
    /// Maps the distribution API under <c>/v2</c>, the admin API under <c>/api/v1</c> with its document at
    /// <c>/swagger</c>, <c>/healthz</c> and <c>/metrics</c>.
    /// </summary>
    public static WebApplication MapRegistry(this WebApplication app)
    {
        // They match every request against patterns, pulls and pushes too, unless they see their own ones only.
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/swagger", StringComparison.Ordinal), docs =>
        {
            var security = app.Services.GetRequiredService<SecurityHeaders>();
            docs.Use((HttpContext context, RequestDelegate next) =>
            {
                security.SetOfPage(context);
                return next(context);
            });
            docs.UseSwagger();
            docs.UseSwaggerUI(ui => ui.SwaggerEndpoint($"/swagger/{ApiDocument}/swagger.json", "Registry admin API"));
        });
        app.MapControllers();
        return app;
    }

    internal const string ApiDocument = "registry";

    private static void AddOurControllers(ApplicationPartManager parts)
    {
        var assembly = typeof(WebServices).Assembly;
        if (!parts.ApplicationParts.OfType<AssemblyPart>().Any(part => part.Assembly == assembly))
            parts.ApplicationParts.Add(new AssemblyPart(assembly));
    }
}
