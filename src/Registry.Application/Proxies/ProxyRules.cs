using System.Collections.Frozen;
using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Domain.Repositories;

namespace Registry.Application.Proxies;

/// <summary>What the upstreams of the proxy registries may be asked for.</summary>
internal sealed class ProxyRules(RegistryMap registries)
{
    private readonly FrozenDictionary<RegistryName, Rules> _rules = registries.All
        .Where(registry => registry.Settings.Kind is RegistryKind.Proxy)
        .ToFrozenDictionary(registry => registry.Name, registry => new Rules(registry.Settings));

    public RegistrySettings SettingsOf(RepositoryIdentity repository) => _rules[repository.Registry].Settings;

    /// <summary>Why the upstream is not asked for anything of this repository; null when it is.</summary>
    public OciError? FindRefusal(RepositoryIdentity repository)
    {
        var rules = _rules[repository.Registry];
        return rules.Settings.Offline ? OciError.ProxyOffline(repository.Registry)
            : rules.Include.Length > 0 && !Array.Exists(rules.Include, glob => glob.Matches(repository.Name.Value))
                || Array.Exists(rules.Exclude, glob => glob.Matches(repository.Name.Value))
                ? OciError.ProxyExcludes(repository)
            : null;
    }

    /// <summary>How many bytes a registry may hold; 0 for as many as there are.</summary>
    public long MaxBytesOf(RegistryName registry) => _rules[registry].Settings.MaxBytes;

    /// <summary>Whether what has these tags, or none, is never evicted.</summary>
    public bool IsPinned(RepositoryIdentity repository, IReadOnlyList<string> tags)
        => Array.Exists(_rules[repository.Registry].Pins, pin => pin.Holds(repository.Name, tags));

    private sealed class Rules(RegistrySettings settings)
    {
        public RegistrySettings Settings => settings;

        public RepositoryGlob[] Include { get; } = Globs(settings.Include);

        public RepositoryGlob[] Exclude { get; } = Globs(settings.Exclude);

        public CachePin[] Pins { get; } =
        [
            .. settings.Pinned.Select(text => CachePin.TryParse(text, out var pin)
                ? pin
                : throw new ArgumentException($"'{text}' is no pattern of what is kept.", nameof(settings))),
        ];

        private static RepositoryGlob[] Globs(IEnumerable<string> texts)
            => [.. texts.Select(text => RepositoryGlob.TryParse(text, out var glob)
                ? glob
                : throw new ArgumentException($"'{text}' is no pattern of repository names.", nameof(texts)))];
    }
}
