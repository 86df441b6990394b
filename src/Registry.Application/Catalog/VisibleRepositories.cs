using Registry.Application.Access;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Repositories;

namespace Registry.Application.Catalog;

/// <summary>
/// The repositories of all registries as one list: what a principal may see, under the names that clients of a host
/// use.
/// </summary>
internal sealed class VisibleRepositories(ICatalog catalog, RegistryMap registries, IAccessPolicy access)
{
    // Few are asked for at a time where most may be hidden.
    private const int MinBatch = 100;

    /// <param name="prefix">Only names that begin with this.</param>
    public async Task<Page<RepositoryAddress>> ListAsync(
        RequestedHost? host, string prefix, PageRequest page, Principal principal, CancellationToken cancellationToken)
    {
        // A page of each registry, merged, holds the whole page.
        var found = new List<RepositoryAddress>();
        foreach (var (shown, own) in registries.Visible(host))
        {
            if (Narrow(own, prefix) is not { } rest || IsBehind(page.After, own))
                continue;
            foreach (var registry in registries.MembersOf(shown))
            {
                var before = found.Count;
                foreach (var granted in access.PullPrefixes(principal, registry))
                {
                    if (found.Count - before > page.Size)
                        break; // what follows sorts behind the page
                    if (Overlap(granted, rest) is { } within && !IsBehind(page.After, own + within))
                    {
                        await AddAsync(
                            shown, registry, own, within, After(own, page.After), page.Size + 1 - found.Count + before);
                    }
                }
            }
        }

        // What several members of a group have is one repository of the group.
        return Page<RepositoryAddress>.Of(
            [.. found.DistinctBy(one => one.ClientName).OrderBy(one => one.ClientName.Value, StringComparer.Ordinal)],
            page.Size);

        async Task AddAsync(
            RegistryName shown, RegistryName registry, string own, string within, string? after, int wanted)
        {
            var batch = Math.Max(wanted, MinBatch);
            IReadOnlyList<string> names;
            do
            {
                names = await catalog.ListAsync(registry, after, within, batch, cancellationToken);
                foreach (var name in names)
                {
                    after = name;
                    if (!RepositoryName.TryParse(own + name, out var client))
                        continue; // too long under this path: only the registry's own host can name it
                    var identity = new RepositoryIdentity(registry, RepositoryName.Parse(name));
                    if (!access.Allows(principal, identity, RegistryAction.Pull))
                        continue;
                    found.Add(new(identity with { Registry = shown }, client));
                    wanted--;
                }
            }
            while (wanted > 0 && names.Count == batch); // what the principal may not see must not end the list
        }
    }

    // What is left of the wanted prefix inside a registry whose names all begin with `own`; null when none of them can
    // fit.
    private static string? Narrow(string own, string wanted)
        => wanted.StartsWith(own, StringComparison.Ordinal) ? wanted[own.Length..]
            : own.StartsWith(wanted, StringComparison.Ordinal) ? ""
            : null;

    // Of two beginnings of names the longer one, when it begins with the other; null when no name can have both.
    private static string? Overlap(string one, string other)
        => one.StartsWith(other, StringComparison.Ordinal) ? one
            : other.StartsWith(one, StringComparison.Ordinal) ? other
            : null;

    private static bool IsBehind(string? after, string own)
        => string.CompareOrdinal(after, own) > 0 && !after!.StartsWith(own, StringComparison.Ordinal);

    // The key to go on behind inside that registry. One that sorts before all its names starts at the beginning.
    private static string? After(string own, string? after)
        => after is not null && after.StartsWith(own, StringComparison.Ordinal) ? after[own.Length..] : null;
}
