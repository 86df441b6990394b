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

    private sealed class Rules(RegistrySettings settings)
    {
        public RegistrySettings Settings => settings;

        public RepositoryGlob[] Include { get; } = Globs(settings.Include);

        public RepositoryGlob[] Exclude { get; } = Globs(settings.Exclude);

        private static RepositoryGlob[] Globs(IEnumerable<string> texts)
            => [.. texts.Select(text => RepositoryGlob.TryParse(text, out var glob)
                ? glob
                : throw new ArgumentException($"'{text}' is no pattern of repository names.", nameof(texts)))];
    }
}
