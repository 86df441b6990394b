using Registry.Application.Registries;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Rules;

/// <summary>Reads rules as they are asked for; refuses them in the words of the configuration.</summary>
internal sealed class RuleReader(RegistryMap registries)
{
    private const int MaxPatterns = 100;

    public Result<AccessRule> Read(AccessRuleSettings settings)
    {
        if (settings.Repositories.Count > MaxPatterns)
            return OciError.RequestInvalid(
                $"Repositories has {settings.Repositories.Count} patterns: one rule takes up to {MaxPatterns}.");
        AccessRule rule;
        try
        {
            rule = settings.ToRule();
        }
        catch (FormatException e)
        {
            return OciError.RequestInvalid(e.Message);
        }

        if (rule.Grant.Registry is not { } registry)
            return rule;
        if (!registries.Contains(registry))
            return OciError.RequestInvalid(
                $"Registry is '{registry}', which Registry:Registries does not have "
                + $"({string.Join(", ", registries.All.Select(known => known.Name))}).");
        return registries.IsGroup(registry)
            ? OciError.RequestInvalid(
                $"Registry is '{registry}', a group, which has no rights of its own: name one of its members.")
            : rule;
    }
}
