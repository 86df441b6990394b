using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Registry.Application.Access;
using Registry.Application.Access.Groups;
using Registry.Application.Access.AccessTokens;
using Registry.Application.Access.Robots;
using Registry.Application.Access.Rules;
using Registry.Application.Access.Sessions;
using Registry.Application.Access.Tokens;
using Registry.Application.Access.Users;
using Registry.Application.Blobs;
using Registry.Application.Catalog;
using Registry.Application.Health;
using Registry.Application.Manifests;
using Registry.Application.Proxies;
using Registry.Application.Referrers;
using Registry.Application.Registries;
using Registry.Application.Stores;
using Registry.Application.Tags;
using Registry.Application.Uploads;
using Registry.Infrastructure.Access.Basic;
using Registry.Infrastructure.Access.Bearer;
using Registry.Infrastructure.Access.Htpasswd;
using Registry.Infrastructure.Access.Ldap;
using Registry.Infrastructure.Access.Local;
using Registry.Infrastructure.Access.Passwords;
using Registry.Infrastructure.Access.Tokens;
using Registry.Infrastructure.Access.Workload;
using Registry.Infrastructure.Database;
using Registry.Infrastructure.Metrics;
using Registry.Infrastructure.Outbox;
using Registry.Infrastructure.Proxies;
using Registry.Infrastructure.Startup;
using Registry.Infrastructure.Stores;
using Registry.Infrastructure.Uploads;
using Registry.Infrastructure.Upstreams;

namespace Registry.Infrastructure;

public static class InfrastructureServices
{
    /// <summary>Adds the adapters behind the ports of the application, and what opens them at start.</summary>
    /// <param name="data">The data folder.</param>
    public static IServiceCollection AddInfrastructure(
        this IServiceCollection services,
        string data,
        IReadOnlyDictionary<string, StoreOptions> stores,
        DatabaseOptions database,
        IReadOnlyDictionary<string, RegistrySettings> registries,
        AccessOptions access)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(_ => new DataFolder(data, alone: database.Kind == DatabaseKind.Sqlite));

        services.AddSingleton(provider => new BlobStores(
            stores, provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IBlobStores>(provider => provider.GetRequiredService<BlobStores>());
        services.AddSingleton(provider => new RegistryMap(registries, provider.GetRequiredService<IBlobStores>()));

        services.AddSingleton(provider => new HttpUpstreams(
            registries, provider.GetRequiredService<ManifestOptions>().MaxBytes,
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<HttpUpstreams>>()));
        services.AddSingleton<IUpstreams>(provider => provider.GetRequiredService<HttpUpstreams>());

        services.AddSingleton<RegistryDatabase>(provider => database.Kind switch
        {
            DatabaseKind.Sqlite => new SqliteDatabase(
                database.ConnectionString ?? $"Data Source={Path.Combine(data, "registry.db")}",
                provider.GetRequiredService<TimeProvider>()),
            DatabaseKind.PostgreSql => new PostgreSqlDatabase(
                database.ConnectionString ?? "", database, provider.GetRequiredService<ILogger<PostgreSqlDatabase>>()),
            _ => throw new InvalidOperationException(
                $"Registry:Database:Kind is '{database.Kind}', which is no kind of database."),
        });
        services.AddSingleton<Leases>();
        services.AddSingleton<StoreMarks>();
        services.AddSingleton<ManifestOutbox>();
        services.AddSingleton<IBlobLinks, BlobLinks>();
        services.AddSingleton<IUploadSessions, UploadSessions>();
        services.AddSingleton<IManifestIndex, ManifestIndex>();
        services.AddSingleton<ITagIndex, TagIndex>();
        services.AddSingleton<IReferrerIndex, ReferrerIndex>();
        services.AddSingleton<ICatalog, RepositoryCatalog>();
        services.AddSingleton<IProxyCache, ProxyCache>();
        services.AddSingleton<ICachedContent, CachedContent>();
        services.AddSingleton<IReadinessCheck, DatabaseReadiness>();
        services.AddSingleton<IReadinessCheck, StoreReadiness>();

        services.AddProviders(access);
        services.AddSingleton<RegistryMetrics>();
        services.AddSingleton<CacheMetrics>();

        services.AddHostedService<RegistryStartup>();
        services.AddHostedService(provider => provider.GetRequiredService<RegistryMetrics>());
        services.AddHostedService<ManifestArchiver>();
        services.AddHostedService<UploadPurge>();
        services.AddHostedService<PullWriter>();
        services.AddHostedService<CacheKeeper>();
        services.AddHostedService<CacheSweep>();
        return services;
    }

    private static void AddProviders(this IServiceCollection services, AccessOptions access)
    {
        services.AddSingleton<AccessChanges>();
        services.AddSingleton<IStoredAccess>(provider => provider.GetRequiredService<AccessChanges>());
        services.AddHostedService(provider => provider.GetRequiredService<AccessChanges>());
        services.AddSingleton<PasswordChecks>();
        services.AddSingleton<LocalChanges>();
        services.AddSingleton<ILocalUsers, LocalUsers>();
        services.AddSingleton<ILocalGroups, LocalGroups>();
        services.AddAccessTokens();
        foreach (var kind in access.ProvidersInOrder())
            services.AddProvider(kind, access);

        services.AddSingleton<SigningKeys>();
        services.AddSingleton<BearerTokens>();
        services.AddSingleton<ITokenIssuer>(provider => provider.GetRequiredService<BearerTokens>());
        services.AddSingleton<ReadTokens>();
        // Not schemes of the application: as the only one it would sign in users to a host's own pages, and as one of
        // several it would end what another one is by default.
        services.AddKeyedTransient<IAuthenticationHandler, BasicHandler>(CredentialSchemes.Basic);
        services.AddKeyedTransient<IAuthenticationHandler, BearerHandler>(CredentialSchemes.Bearer);
    }

    // Before all other providers: what looks like a token is shown to none of them.
    private static void AddAccessTokens(this IServiceCollection services)
    {
        services.AddSingleton<IRobots, StoredRobots>();
        services.AddSingleton<IAccessRules, StoredAccessRules>();
        services.AddSingleton<ITokenSessions, StoredTokenSessions>();
        services.AddSingleton<StoredAccessTokens>();
        services.AddSingleton<IAccessTokens>(provider => provider.GetRequiredService<StoredAccessTokens>());
        services.AddSingleton<TokenUses>();
        services.AddHostedService(provider => provider.GetRequiredService<TokenUses>());
        services.AddSingleton<IUserProvider>(provider => new AccessTokenProvider(
            provider.GetRequiredService<StoredAccessTokens>(),
            provider.GetRequiredService<TokenUses>(),
            provider.GetRequiredService<AccessChanges>(),
            provider.GetRequiredService<Accounts>,
            provider.GetRequiredService<TimeProvider>()));
    }

    private static void AddProvider(this IServiceCollection services, AccessProvider kind, AccessOptions access)
    {
        switch (kind)
        {
            case AccessProvider.Local:
                services.AddSingleton<IUserProvider, LocalProvider>();
                services.AddSingleton(provider => new FirstAdmin(
                    provider.GetRequiredService<RegistryDatabase>(),
                    provider.GetRequiredService<AccessChanges>(),
                    access.Admin,
                    provider.GetRequiredService<DataFolder>().Path,
                    provider.GetRequiredService<ILogger<FirstAdmin>>()));
                break;
            case AccessProvider.Htpasswd:
                services.AddSingleton<IUserProvider>(provider => new HtpasswdProvider(
                    access.Htpasswd.Path!,
                    provider.GetRequiredService<PasswordChecks>(),
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<HtpasswdProvider>>()));
                break;
            case AccessProvider.Workload:
                services.AddSingleton<IUserProvider>(provider => new WorkloadProvider(
                    access.Workload,
                    provider.GetRequiredService<IStoredAccess>(),
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<WorkloadProvider>>()));
                break;
            case AccessProvider.Ldap:
                services.AddSingleton<IUserProvider>(provider => new LdapProvider(
                    [.. access.Ldap],
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<LdapProvider>>()));
                break;
            default:
                throw new InvalidOperationException($"'{kind}' is no provider of users.");
        }
    }
}
