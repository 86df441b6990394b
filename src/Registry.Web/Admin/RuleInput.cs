using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Web.Admin;

/// <summary>Rules and grants as requests and commands write them: actions and effects in lower-case words.</summary>
internal static class RuleInput
{
    private static readonly Dictionary<string, RegistryAction> Actions
        = Enum.GetValues<RegistryAction>().ToDictionary(Show, StringComparer.OrdinalIgnoreCase);

    public static string Show(RegistryAction action) => action.ToString().ToLowerInvariant();

    public static Result<RegistryAction> ReadAction(string? text)
        => Actions.TryGetValue(text ?? "", out var action)
            ? action
            : OciError.RequestInvalid(
                $"Actions has '{OciError.Shorten(text)}', it may have {string.Join(", ", Actions.Keys)}.");

    /// <summary>What else is to be said of it, who carries it out says.</summary>
    public static Result<AccessRuleSettings> Read(
        string subject, string? registry, IEnumerable<string> repositories, IEnumerable<string> actions,
        string? effect)
    {
        var settings = new AccessRuleSettings { Subject = subject, Registry = registry };
        if (effect is not null)
        {
            if (!Enum.GetNames<AccessEffect>().Contains(effect, StringComparer.OrdinalIgnoreCase))
                return OciError.RequestInvalid($"Effect is '{OciError.Shorten(effect)}', it must be allow or deny.");
            settings.Effect = Enum.Parse<AccessEffect>(effect, ignoreCase: true);
        }

        foreach (var pattern in repositories)
            settings.Repositories.Add(pattern);
        foreach (var text in actions)
        {
            if (!ReadAction(text).TryGet(out var action, out var errors))
                return Result<AccessRuleSettings>.Refused(errors);
            settings.Actions.Add(action);
        }

        return settings;
    }
}
