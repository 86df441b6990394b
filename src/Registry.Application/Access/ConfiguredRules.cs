using Registry.Domain.Access;

namespace Registry.Application.Access;

/// <summary>The rules of the configuration, by their key; replaced as a whole when the configuration changes.</summary>
public sealed class ConfiguredRules(IReadOnlyDictionary<string, AccessRule> rules)
{
    private volatile IReadOnlyDictionary<string, AccessRule> _current = rules;

    public IReadOnlyDictionary<string, AccessRule> Current => _current;

    public void Replace(IReadOnlyDictionary<string, AccessRule> rules) => _current = rules;

    /// <exception cref="FormatException">
    /// A rule cannot be read; the message names its key and what it may be.
    /// </exception>
    public static IReadOnlyDictionary<string, AccessRule> Read(AccessOptions options)
    {
        var rules = new Dictionary<string, AccessRule>(StringComparer.Ordinal);
        for (var i = 0; i < options.Rules.Count; i++)
        {
            var key = FormattableString.Invariant($"Registry:Access:Rules:{i}");
            try
            {
                rules.Add(key, options.Rules[i].ToRule());
            }
            catch (FormatException e)
            {
                throw new FormatException($"{key}:{e.Message}", e);
            }
        }

        return rules;
    }
}
