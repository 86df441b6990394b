using Registry.Application.Stores;
using Registry.Domain.Repositories;

namespace Registry.Application.Registries;

/// <summary>
/// The registries of the instance, and the one place that finds out which of them a request means:
/// by host name, by containerd's <c>ns</c>, by the longest path, else the registry at the root.
/// </summary>
public sealed class RegistryMap
{
    private readonly IBlobStores _stores;
    private readonly Entry[] _entries;
    private readonly Entry[] _byPath; // longest first, the root last
    private readonly (string Pattern, Entry Entry)[] _byHost; // exact names first, then the longest suffix
    private readonly Dictionary<RegistryName, Entry> _byName;

    /// <exception cref="ArgumentException">
    /// Two registries claim the same host or path; the message names them.
    /// </exception>
    public RegistryMap(IReadOnlyDictionary<string, RegistrySettings> settings, IBlobStores stores)
    {
        _stores = stores;
        _entries = [.. settings.Select(entry => new Entry(RegistryName.Parse(entry.Key), entry.Value))];
        _byPath = [.. _entries.Where(entry => entry.HasPath).OrderByDescending(entry => entry.Path.Length)];
        _byHost =
        [
            .. _entries.SelectMany(entry => entry.Settings.Hosts.Select(pattern => (Pattern: pattern, Entry: entry)))
                .OrderBy(host => IsSuffix(host.Pattern)).ThenByDescending(host => host.Pattern.Length),
        ];
        _byName = _entries.ToDictionary(entry => entry.Name);
        RefuseTwoOwners("path", _byPath.Select(entry => (entry.Path, entry)));
        RefuseTwoOwners("host", _byHost);
    }

    /// <summary>Names and settings of all registries, in the order of their names.</summary>
    public IEnumerable<(RegistryName Name, RegistrySettings Settings)> All
        => _entries.OrderBy(entry => entry.Name.Value, StringComparer.Ordinal)
            .Select(entry => (entry.Name, entry.Settings));

    /// <summary>The repository that <paramref name="name"/> means; null when no registry takes it.</summary>
    /// <param name="host">The Host header without its port.</param>
    /// <param name="ns">
    /// The query parameter <c>ns</c>: it names a proxy's upstream, and never falls through to another registry.
    /// </param>
    public RepositoryAddress? Resolve(string? host, string? ns, RepositoryName name)
    {
        if (ByHost(host) is { } virtualHost)
            return new(new(virtualHost.Name, name), name);
        if (!string.IsNullOrEmpty(ns))
            return null;

        foreach (var entry in _byPath)
        {
            if (entry.Path.Length == 0)
                return new(new(entry.Name, name), name);
            if (name.Value.Length > entry.Path.Length + 1 && name.Value[entry.Path.Length] == '/'
                && name.Value.StartsWith(entry.Path, StringComparison.Ordinal))
                return new(new(entry.Name, RepositoryName.Parse(name.Value[(entry.Path.Length + 1)..])), name);
        }

        return null;
    }

    /// <summary>Whether a registry answers under this host name.</summary>
    public bool HasHost(string host) => ByHost(host) is not null;

    /// <summary>
    /// The registries that a list for this host covers, each with the prefix that its repository names have there.
    /// </summary>
    public IReadOnlyList<(RegistryName Registry, string Prefix)> Visible(string? host)
        => ByHost(host) is { } virtualHost
            ? [(virtualHost.Name, "")]
            : [.. _byPath.Select(entry => (entry.Name, entry.Path.Length == 0 ? "" : entry.Path + "/"))];

    /// <summary>Whether there is (still) a registry of that name.</summary>
    public bool Contains(RegistryName registry) => _byName.ContainsKey(registry);

    /// <summary>Where a registry's new blobs go.</summary>
    public IBlobStore StoreOf(RegistryName registry)
        => _stores.Find(_byName[registry].Settings.Store)
            ?? throw new InvalidOperationException(
                $"Registry '{registry}' names the unknown store '{_byName[registry].Settings.Store}'.");

    private Entry? ByHost(string? host)
    {
        if (string.IsNullOrEmpty(host))
            return null;
        host = host.TrimEnd('.'); // a name may be written with the root's dot
        foreach (var (pattern, entry) in _byHost)
        {
            var fits = IsSuffix(pattern)
                ? host.Length >= pattern.Length && host.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase)
                : host.Equals(pattern, StringComparison.OrdinalIgnoreCase);
            if (fits)
                return entry;
        }

        return null;
    }

    private static bool IsSuffix(string pattern) => pattern.StartsWith("*.", StringComparison.Ordinal);

    private static void RefuseTwoOwners(string what, IEnumerable<(string Key, Entry Entry)> claims)
    {
        foreach (var claim in claims.GroupBy(
            claim => claim.Key, claim => claim.Entry.Name, StringComparer.OrdinalIgnoreCase))
        {
            if (claim.Distinct().Count() > 1)
                throw new ArgumentException(
                    $"The registries {string.Join(" and ", claim)} claim the same {what} '{claim.Key}'.",
                    nameof(claims));
        }
    }

    private sealed class Entry(RegistryName name, RegistrySettings settings)
    {
        public RegistryName Name { get; } = name;

        public RegistrySettings Settings { get; } = settings;

        public string Path { get; } = settings.Path.Trim('/');

        // A registry that has hosts and no path lives on its hosts alone; only `default` is at the root.
        public bool HasPath => Path.Length > 0 || Name == RegistryName.Default || Settings.Hosts.Count == 0;
    }
}
