using Registry.Application.Groups;
using Registry.Application.Proxies;
using Registry.Domain.Repositories;

namespace Registry.Application.Registries;

/// <summary>Finds out where what a registry has is pulled from.</summary>
internal sealed class PullSources(RegistryMap registries, HostedSource hosted, ProxySource proxies, GroupSource groups)
{
    public IPullSource Of(RepositoryIdentity repository) => registries.KindOf(repository.Registry) switch
    {
        RegistryKind.Hosted => hosted,
        RegistryKind.Proxy => proxies,
        RegistryKind.Group => groups,
        var kind => throw new InvalidOperationException($"'{kind}' is no kind of registry."),
    };
}
