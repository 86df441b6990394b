using System.Net;
using Registry.Application.Proxies;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Repositories;
using Registry.Infrastructure;
using static Registry.Web.Configuration.OptionsRules;

namespace Registry.Web.Configuration;

/// <summary>What the registries of an instance must be like, each by itself and all together.</summary>
internal static class RegistryRules
{
    public static void Complete(IEnumerable<RegistrySettings> registries)
    {
        // What a file sets to null is as good as not set.
        foreach (var registry in registries)
        {
            (registry.Path, registry.Store, registry.Upstream)
                = (registry.Path ?? "", registry.Store ?? "default", registry.Upstream ?? "");
        }
    }

    /// <exception cref="StartRefusedException">Names key, value and fix.</exception>
    public static void Check(RegistryOptions options)
    {
        foreach (var (name, registry) in options.Registries)
        {
            var key = $"Registry:Registries:{name}";
            Require(
                RegistryName.TryParse(name, out _),
                $"{key}: '{name}' is no registry name; use lower-case letters, digits and dashes.");
            Require(
                registry.Path.Length == 0 || RepositoryName.TryParse(registry.Path.Trim('/'), out _),
                $"{key}:Path is '{registry.Path}', which cannot begin a repository name.");
            foreach (var host in registry.Hosts)
            {
                Require(
                    HostPattern.TryParse(host, out _),
                    $"{key}:Hosts has '{host}', which is no host such as hub.example.com, *.example.com, "
                    + "hub.example.com:5001 or *:5001.");
            }

            CheckKind(options, key, registry);
        }

        CheckTogether(options.Registries);
    }

    public static bool IsAtRoot(string name, RegistrySettings registry)
        => registry.Path.Trim('/').Length == 0 && (name == "default" || registry.Hosts.Count == 0);

    private static void CheckKind(RegistryOptions options, string key, RegistrySettings registry)
    {
        Require(
            registry.Kind is RegistryKind.Proxy || registry.Upstream.Length == 0,
            $"{key}:Upstream is '{registry.Upstream}', but Kind is {registry.Kind}: set Kind to Proxy.");
        Require(
            registry.Kind is RegistryKind.Proxy || registry.MaxBytes == 0,
            $"{key}:MaxBytes is {registry.MaxBytes}, but Kind is {registry.Kind}, which evicts nothing: take it out.");
        Require(
            registry.Kind is RegistryKind.Proxy || registry.Pinned.Count == 0,
            $"{key}:Pinned is set, but Kind is {registry.Kind}, which evicts nothing: take it out.");
        Require(
            registry.Kind is RegistryKind.Group || registry.Members.Count == 0,
            $"{key}:Members is set, but Kind is {registry.Kind}: set Kind to Group.");
        if (registry.Kind is RegistryKind.Group)
        {
            CheckGroup(options, key, registry);
            return;
        }

        Require(
            options.Stores.ContainsKey(registry.Store),
            $"{key}:Store is '{registry.Store}', which Registry:Stores does not have "
            + $"({string.Join(", ", options.Stores.Keys)}).");
        if (registry.Kind is RegistryKind.Proxy)
            CheckProxy(key, registry);
    }

    private static void CheckGroup(RegistryOptions options, string key, RegistrySettings group)
    {
        Require(group.Members.Count > 0, $"{key}:Members is empty: name the registries that the group shows.");
        foreach (var member in group.Members)
        {
            Require(
                options.Registries.ContainsKey(member),
                $"{key}:Members has '{member}', which Registry:Registries does not have "
                + $"({string.Join(", ", options.Registries.Keys)}).");
        }

        var repeated = group.Members.GroupBy(member => member).FirstOrDefault(member => member.Count() > 1)?.Key;
        Require(repeated is null, $"{key}:Members has '{repeated}' more than once: take it out once.");
        Require(
            string.IsNullOrEmpty(group.PushTo) || group.Members.Contains(group.PushTo),
            $"{key}:PushTo is '{group.PushTo}', which {key}:Members does not have.");
        Require(
            string.IsNullOrEmpty(group.PushTo)
                || options.Registries[group.PushTo].Kind is RegistryKind.Hosted,
            $"{key}:PushTo is '{group.PushTo}', which takes no pushes: name a member of kind Hosted.");
    }

    private static void CheckProxy(string key, RegistrySettings proxy)
    {
        Require(
            Uri.TryCreate(proxy.Upstream, UriKind.Absolute, out var upstream)
                && (upstream.Scheme == Uri.UriSchemeHttp || upstream.Scheme == Uri.UriSchemeHttps)
                && upstream.AbsolutePath == "/" && upstream.Query.Length == 0 && upstream.Fragment.Length == 0,
            $"{key}:Upstream is '{Shown(proxy.Upstream)}', which is no address of a registry such as "
            + "https://registry-1.docker.io (no path).");
        Require(
            upstream!.UserInfo.Length == 0,
            $"{key}:Upstream has a user or password in it: set {key}:Username and {key}:PasswordFile.");
        Require(
            string.IsNullOrEmpty(proxy.Password) || string.IsNullOrEmpty(proxy.PasswordFile),
            $"{key}:Password and {key}:PasswordFile are both set: leave one.");
        var hasPassword = !string.IsNullOrEmpty(proxy.Password) || !string.IsNullOrEmpty(proxy.PasswordFile);
        Require(
            string.IsNullOrEmpty(proxy.Username) != hasPassword,
            hasPassword
                ? $"{key}:Username is empty, but there is a password: name the user that it belongs to."
                : $"{key}:Username is '{proxy.Username}', but there is no password: set {key}:PasswordFile.");
        Require(
            string.IsNullOrEmpty(proxy.ImpliedPrefix) || RepositoryName.TryParse(proxy.ImpliedPrefix, out _),
            $"{key}:ImpliedPrefix is '{proxy.ImpliedPrefix}', which cannot begin a repository name.");
        foreach (var host in proxy.TokenHosts)
        {
            Require(
                Uri.TryCreate($"https://{host}", UriKind.Absolute, out var pinned) && pinned.AbsolutePath == "/"
                    && pinned.UserInfo.Length == 0,
                $"{key}:TokenHosts has '{host}', which is no host such as auth.example.com or auth.example.com:8443.");
        }

        foreach (var ns in proxy.Namespaces)
            Require(
                IsNamespace(ns),
                $"{key}:Namespaces has '{ns}', which is no host such as docker.io or registry.example.com:5000 "
                + "(no scheme, no path).");

        foreach (var network in proxy.AllowedNetworks)
        {
            Require(
                IPNetwork.TryParse(network, out _),
                $"{key}:AllowedNetworks has '{network}', which is no network such as 10.0.0.0/8.");
        }

        CheckGlobs($"{key}:Include", proxy.Include);
        CheckGlobs($"{key}:Exclude", proxy.Exclude);
        Require(proxy.TagTtl >= TimeSpan.Zero, $"{key}:TagTtl is {proxy.TagTtl}, it must be zero or more.");
        Require(
            proxy.NegativeTtl >= TimeSpan.Zero, $"{key}:NegativeTtl is {proxy.NegativeTtl}, it must be zero or more.");
        Require(
            proxy.Timeout > TimeSpan.Zero && proxy.Timeout <= TimeSpan.FromMinutes(10),
            $"{key}:Timeout is {proxy.Timeout}, it must be above zero and up to 00:10:00.");
        Require(
            proxy.MaxConnections is >= 1 and <= 1000,
            $"{key}:MaxConnections is {proxy.MaxConnections}, it must be from 1 to 1000.");
        Require(proxy.MaxBytes >= 0, $"{key}:MaxBytes is {proxy.MaxBytes}, it must be zero (no limit) or more.");
        foreach (var pin in proxy.Pinned)
        {
            Require(
                CachePin.TryParse(pin, out _),
                $"{key}:Pinned has '{pin}', which is not REPOSITORY or REPOSITORY:TAG, both of which may have *.");
        }
    }

    // What clients send as ns: the upstream's host, and perhaps a port.
    private static bool IsNamespace(string text)
        => text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or ':' or '[' or ']')
            && Uri.TryCreate($"https://{text}", UriKind.Absolute, out var place)
            && place.HostNameType is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6;

    private static void CheckGlobs(string key, IEnumerable<string> globs)
    {
        foreach (var glob in globs)
            Require(
                RepositoryGlob.TryParse(glob, out _), $"{key} has '{glob}', which is no pattern of repository names.");
    }

    private static void CheckTogether(IDictionary<string, RegistrySettings> registries)
    {
        foreach (var (name, registry) in registries)
        {
            foreach (var (other, rival) in registries.Where(entry => string.CompareOrdinal(entry.Key, name) > 0))
                CheckPair(name, registry, other, rival);
            RefuseCycle(registries, name, []);
        }
    }

    private static void CheckPair(string name, RegistrySettings registry, string other, RegistrySettings rival)
    {
        var (path, otherPath) = (registry.Path.Trim('/'), rival.Path.Trim('/'));
        Require(
            path.Length == 0 || otherPath.Length == 0
                || !$"{path}/".StartsWith($"{otherPath}/", StringComparison.Ordinal)
                && !$"{otherPath}/".StartsWith($"{path}/", StringComparison.Ordinal),
            $"Registry:Registries:{name}:Path '{path}' and Registry:Registries:{other}:Path '{otherPath}' "
            + "overlap: give them separate paths.");
        Require(
            !IsAtRoot(name, registry) || !IsAtRoot(other, rival),
            $"Registry:Registries:{name} and Registry:Registries:{other} both have an empty Path: "
            + "give one of them a Path or Hosts.");
        Require(
            !registry.Hosts.Select(HostPattern.Parse).Intersect(rival.Hosts.Select(HostPattern.Parse)).Any(),
            $"Registry:Registries:{name}:Hosts and Registry:Registries:{other}:Hosts share a host: "
            + "give it to one of them.");
        Require(
            !DockerHub.Namespaces(registry).Intersect(
                DockerHub.Namespaces(rival), StringComparer.OrdinalIgnoreCase).Any(),
            $"Registry:Registries:{name} and Registry:Registries:{other} would both answer to ns="
            + $"{string.Join(", ", DockerHub.Namespaces(registry))}: set Namespaces of one of them to something else.");
    }

    private static void RefuseCycle(
        IDictionary<string, RegistrySettings> registries, string name, IReadOnlyList<string> outer)
    {
        Require(
            !outer.Contains(name),
            $"The groups {string.Join(" > ", outer.Append(name))} are members of each other "
            + $"(Registry:Registries:{name}:Members): take one of them out.");
        foreach (var member in registries[name].Members)
            RefuseCycle(registries, member, [.. outer, name]);
    }

    // A password in an address must not get into a log.
    private static string Shown(string address) => address.Split('@')[^1];
}
