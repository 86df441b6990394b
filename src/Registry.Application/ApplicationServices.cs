using FluentValidation;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Registry.Application.Access;
using Registry.Application.Access.AccessTokens;
using Registry.Application.Access.Rules;
using Registry.Application.Catalog;
using Registry.Application.Groups;
using Registry.Application.Pipeline;
using Registry.Application.Proxies;
using Registry.Application.Registries;
using Registry.Application.Uploads;

namespace Registry.Application;

public static class ApplicationServices
{
    private static readonly Type[] Roles = [typeof(IRequestHandler<,>), typeof(IValidator<>)];

    /// <summary>Adds the use cases. Ports and options are the caller's to add.</summary>
    public static IServiceCollection AddApplication(this IServiceCollection services)
    {
        services.AddTransient<ServiceFactory>(provider => provider.GetRequiredService);
        services.AddTransient<IMediator, Mediator>();
        services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(PushBehavior<,>));
        services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(ValidationBehavior<,>));

        foreach (var type in typeof(ApplicationServices).Assembly.GetTypes())
        {
            if (type is not { IsClass: true, IsAbstract: false, ContainsGenericParameters: false })
                continue;
            foreach (var role in type.GetInterfaces())
            {
                if (role.IsGenericType && Roles.Contains(role.GetGenericTypeDefinition()))
                    services.AddSingleton(role, type); // they hold ports and options only, no state of a request
            }
        }

        services.AddSingleton<UploadDesk>();
        services.AddSingleton<VisibleRepositories>();
        services.AddSingleton<AccessPolicy>();
        services.AddSingleton<IAccessPolicy, GroupAccess>();
        services.AddSingleton<GroupMembers>();
        services.AddSingleton<GroupTakeover>();
        services.AddSingleton<HostedSource>();
        services.AddSingleton<ProxySource>();
        services.AddSingleton<GroupSource>();
        services.AddSingleton<PullSources>();
        services.AddSingleton<ProxyRules>();
        services.AddSingleton<Absences>();
        services.AddSingleton<Downloads>();
        services.AddSingleton<CacheGrowth>();
        services.AddSingleton<ManifestPulls>();
        services.AddSingleton<ProxiedManifests>();
        services.AddSingleton<ProxiedReferrers>();
        services.AddSingleton<CredentialCheck>();
        services.AddSingleton<LoginDelays>();
        services.AddSingleton<Accounts>();
        services.AddSingleton<TokenDesk>();
        services.AddSingleton<RuleReader>();
        services.AddSingleton<Administration>();
        return services;
    }
}
