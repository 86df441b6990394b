using Registry.Application.Proxies;
using Registry.Application.Stores;
using Registry.Domain.Repositories;

namespace Registry.Application.Registries;

/// <summary>
/// The registries of the instance, and the one place that finds out which of them a request means:
/// by host name and port, by containerd's <c>ns</c>, by the longest path, else the registry at the root.
/// </summary>
public sealed class RegistryMap
{
    private readonly IBlobStores _stores;
    private readonly Entry[] _entries;
    private readonly Entry[] _byPath; // longest first, the root last
    private readonly (HostPattern Pattern, Entry Entry)[] _byHost; // in the order in which they are tried
    private readonly Dictionary<RegistryName, Entry> _byName;
    private readonly Dictionary<string, Entry> _byNamespace;

    /// <exception cref="ArgumentException">
    /// Two registries claim the same host, path or <c>ns</c>, or a group has a member that there is not; the message
    /// names them.
    /// </exception>
    /// <exception cref="FormatException">A registry's name, or one of its hosts, is none.</exception>
    public RegistryMap(IReadOnlyDictionary<string, RegistrySettings> settings, IBlobStores stores)
    {
        _stores = stores;
        _entries = [.. settings.Select(entry => new Entry(RegistryName.Parse(entry.Key), entry.Value))];
        _byPath = [.. _entries.Where(entry => entry.HasPath).OrderByDescending(entry => entry.Path.Length)];
        _byHost =
        [
            .. HostPattern.InOrder(
                _entries.SelectMany(
                    entry => entry.Settings.Hosts.Select(host => (Pattern: HostPattern.Parse(host), Entry: entry))),
                host => host.Pattern),
        ];
        _byName = _entries.ToDictionary(entry => entry.Name);
        RefuseTwoOwners("path", _byPath.Select(entry => (entry.Path, entry)));
        RefuseTwoOwners("host", _byHost.Select(host => ($"{host.Pattern}", host.Entry)));
        (string Namespace, Entry Entry)[] namespaces
            =
            [
                .. _entries.SelectMany(entry => entry.Namespaces.Distinct(StringComparer.OrdinalIgnoreCase)
                    .Select(name => (name, entry))),
            ];
        RefuseTwoOwners("ns", namespaces);
        _byNamespace = namespaces.ToDictionary(
            claim => claim.Namespace, claim => claim.Entry, StringComparer.OrdinalIgnoreCase);
        foreach (var group in _entries.Where(entry => entry.Kind is RegistryKind.Group))
            group.Members = [.. MembersOf(group, []).Distinct()];
    }

    /// <summary>Names and settings of all registries, in the order of their names.</summary>
    public IEnumerable<(RegistryName Name, RegistrySettings Settings)> All
        => _entries.OrderBy(entry => entry.Name.Value, StringComparer.Ordinal)
            .Select(entry => (entry.Name, entry.Settings));

    /// <summary>The repository that <paramref name="name"/> means; null when no registry takes it.</summary>
    /// <param name="ns">
    /// The query parameter <c>ns</c>: it names a proxy's upstream, and never falls through to another registry.
    /// </param>
    public RepositoryAddress? Resolve(RequestedHost? host, string? ns, RepositoryName name)
    {
        if (ByHost(host) is { } virtualHost)
            return new(virtualHost.IdentityOf(name), name);
        if (!string.IsNullOrEmpty(ns))
            return _byNamespace.TryGetValue(ns, out var proxy) ? new(proxy.IdentityOf(name), name) : null;

        foreach (var entry in _byPath)
        {
            if (entry.Path.Length == 0)
                return new(entry.IdentityOf(name), name);
            if (name.Value.Length > entry.Path.Length + 1 && name.Value[entry.Path.Length] == '/'
                && name.Value.StartsWith(entry.Path, StringComparison.Ordinal))
                return new(entry.IdentityOf(RepositoryName.Parse(name.Value[(entry.Path.Length + 1)..])), name);
        }

        return null;
    }

    /// <summary>
    /// Where a change to <paramref name="address"/> is made: in a group, at the member that takes pushes; otherwise,
    /// and in a group without such a member, where it says.
    /// </summary>
    public RepositoryAddress ForChange(RepositoryAddress address)
        => TargetOf(address.Identity) is { } target
            ? address with { Identity = target, Group = address.Identity }
            : address;

    /// <summary>
    /// The repository that takes what is pushed to <paramref name="repository"/> of a group; null when none does, and
    /// for registries of other kinds.
    /// </summary>
    public RepositoryIdentity? TargetOf(RepositoryIdentity repository)
        => GroupOf(repository.Registry)?.Settings.PushTo is { Length: > 0 } target
            ? _byName[RegistryName.Parse(target)].IdentityOf(repository.Name)
            : null;

    /// <summary>
    /// What a repository of a group stands for, in the order in which they count; null for registries of other kinds.
    /// </summary>
    public IReadOnlyList<RepositoryIdentity>? MembersOf(RepositoryIdentity repository)
        => GroupOf(repository.Registry) is { } group
            ? [.. group.Members.Select(member => member.IdentityOf(repository.Name))]
            : null;

    /// <summary>The registries that a group shows, groups within it unfolded; itself for other kinds.</summary>
    public IReadOnlyList<RegistryName> MembersOf(RegistryName registry)
        => GroupOf(registry) is { } group ? [.. group.Members.Select(member => member.Name)] : [registry];

    /// <summary>Whether there is a group of that name.</summary>
    public bool IsGroup(RegistryName registry) => GroupOf(registry) is not null;

    /// <summary>Whether a registry answers under this host, by its port alone if need be.</summary>
    public bool HasHost(RequestedHost host) => ByHost(host) is not null;

    /// <summary>Whether a registry answers under this host by its name.</summary>
    public bool HasName(RequestedHost host)
        => Array.Exists(_byHost, entry => entry.Pattern.HasName && entry.Pattern.Fits(host));

    /// <summary>
    /// The registries that a list for this host covers, each with the prefix that its repository names have there.
    /// </summary>
    public IReadOnlyList<(RegistryName Registry, string Prefix)> Visible(RequestedHost? host)
        => ByHost(host) is { } virtualHost
            ? [(virtualHost.Name, "")]
            : [.. _byPath.Select(entry => (entry.Name, entry.Path.Length == 0 ? "" : entry.Path + "/"))];

    public RegistryKind KindOf(RegistryName registry) => _byName[registry].Kind;

    /// <summary>Whether there is (still) a registry of that name.</summary>
    public bool Contains(RegistryName registry) => _byName.ContainsKey(registry);

    /// <summary>Where a registry's new blobs go.</summary>
    public IBlobStore StoreOf(RegistryName registry)
        => _stores.Find(_byName[registry].Settings.Store)
            ?? throw new InvalidOperationException(
                $"Registry '{registry}' names the unknown store '{_byName[registry].Settings.Store}'.");

    // The database may know repositories of registries that the configuration has no more.
    private Entry? GroupOf(RegistryName registry)
        => _byName.TryGetValue(registry, out var entry) && entry.Kind is RegistryKind.Group ? entry : null;

    private IEnumerable<Entry> MembersOf(Entry group, IReadOnlyList<Entry> outer)
    {
        if (outer.Contains(group))
            throw new ArgumentException($"The group {group.Name} is a member of itself.", nameof(group));
        foreach (var name in group.Settings.Members)
        {
            if (!RegistryName.TryParse(name, out var parsed) || !_byName.TryGetValue(parsed, out var member))
                throw new ArgumentException($"The group {group.Name} has the unknown member '{name}'.", nameof(group));
            foreach (var part in member.Kind is RegistryKind.Group ? MembersOf(member, [.. outer, group]) : [member])
                yield return part;
        }
    }

    private Entry? ByHost(RequestedHost? host)
    {
        if (host is null)
            return null;
        foreach (var (pattern, entry) in _byHost)
        {
            if (pattern.Fits(host))
                return entry;
        }

        return null;
    }

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
        private readonly string? _implied = DockerHub.ImpliedPrefix(settings);

        public RegistryName Name { get; } = name;

        public RegistrySettings Settings { get; } = settings;

        public RegistryKind Kind => Settings.Kind;

        public string Path { get; } = settings.Path.Trim('/');

        public IReadOnlyList<string> Namespaces { get; } = DockerHub.Namespaces(settings);

        /// <summary>Of a group, groups within it unfolded.</summary>
        public IReadOnlyList<Entry> Members { get; set; } = [];

        // A registry that has hosts and no path lives on its hosts alone; only `default` is at the root.
        public bool HasPath => Path.Length > 0 || Name == RegistryName.Default || Settings.Hosts.Count == 0;

        // What upstreams call `library/app`, their clients call `app`.
        public RepositoryIdentity IdentityOf(RepositoryName repository)
            => new(
                Name,
                string.IsNullOrEmpty(_implied) || repository.Value.Contains('/', StringComparison.Ordinal)
                    || !RepositoryName.TryParse($"{_implied}/{repository}", out var whole)
                    ? repository
                    : whole);
    }
}
