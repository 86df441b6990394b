using Registry.Application.Access;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Repositories;

namespace Registry.Application.Catalog;

/// <summary>The repositories of all registries as one list: what a principal may see, under the names that clients of a host use.</summary>
internal sealed class VisibleRepositories(ICatalog catalog, RegistryMap registries, IAccessPolicy access)
{
    /// <param name="host">The Host header without its port.</param>
    /// <param name="prefix">Only names that begin with this.</param>
    public async Task<Page<RepositoryAddress>> ListAsync(
        string? host, string prefix, PageRequest page, Principal principal, CancellationToken cancellationToken)
    {
        // A page of each registry, merged, holds the whole page.
        var found = new List<RepositoryAddress>();
        foreach (var (registry, own) in registries.Visible(host))
        {
            if (Narrow(own, prefix) is not { } rest)
                continue;
            foreach (var name in await catalog.ListAsync(registry, After(own, page.After), rest, page.Size + 1, cancellationToken))
            {
                var client = RepositoryName.Parse(own + name);
                var identity = new RepositoryIdentity(registry, RepositoryName.Parse(name));
                if (string.CompareOrdinal(client.Value, page.After) > 0 && access.Allows(principal, identity, RegistryAction.Pull))
                    found.Add(new(identity, client));
            }
        }

        found.Sort((a, b) => string.CompareOrdinal(a.ClientName.Value, b.ClientName.Value));
        return Page<RepositoryAddress>.Of(found, page.Size);
    }

    // What is left of the wanted prefix inside a registry whose names all begin with `own`; null when none of them can fit.
    private static string? Narrow(string own, string wanted)
        => wanted.StartsWith(own, StringComparison.Ordinal) ? wanted[own.Length..]
            : own.StartsWith(wanted, StringComparison.Ordinal) ? ""
            : null;

    // The key to go on behind inside that registry. One that sorts before all its names starts at the beginning; one that sorts
    // behind them all reads a page for nothing, which the caller drops.
    private static string? After(string own, string? after)
        => after is not null && after.StartsWith(own, StringComparison.Ordinal) ? after[own.Length..] : null;
}
