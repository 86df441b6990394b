using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Access;

public enum AccessEffect
{
    Allow,

    /// <summary>Wins over every rule that allows.</summary>
    Deny,
}

/// <summary><c>Registry:Access:Rules:*</c></summary>
public sealed class AccessRuleSettings
{
    /// <summary>
    /// Whom it is about: <c>everyone</c>, <c>user:NAME</c>, <c>group:NAME</c>, <c>robot:NAME</c>,
    /// <c>workload:ISSUER/NAME</c> or <c>claim:NAME=VALUE</c>.
    /// </summary>
    public string Subject { get; set; } = "";

    /// <summary>The registry it is about; left out for all.</summary>
    public string? Registry { get; set; }

    /// <summary>
    /// Patterns of repository names inside the registry: <c>*</c> stays within a component, <c>**</c> crosses.
    /// </summary>
    public IList<string> Repositories { get; } = [];

    public IList<RegistryAction> Actions { get; } = [];

    public AccessEffect Effect { get; set; } = AccessEffect.Allow;

    /// <exception cref="FormatException">
    /// A setting cannot be read; the message names its key and what it may be.
    /// </exception>
    public AccessRule ToRule()
    {
        if (!AccessSubject.TryParse(Subject, out var subject))
            throw new FormatException($"Subject is '{Subject}', it must be {AccessSubject.Forms}.");
        RegistryName? registry = null;
        if (!string.IsNullOrEmpty(Registry) && !RegistryName.TryParse(Registry, out registry))
            throw new FormatException($"Registry is '{Registry}', which is no registry's name.");
        if (Repositories.Count == 0)
            throw new FormatException("Repositories is empty: name patterns of repositories, ** for all.");
        if (Actions.Count == 0)
            throw new FormatException(
                $"Actions is empty: name some of {string.Join(", ", Enum.GetNames<RegistryAction>())}.");
        return new(
            subject,
            new(registry, [.. Repositories.Select(ToGlob)], [.. Actions.Distinct()]),
            Effect is AccessEffect.Deny);
    }

    private static RepositoryGlob ToGlob(string text)
        => RepositoryGlob.TryParse(text, out var glob)
            ? glob
            : throw new FormatException(
                $"Repositories has '{text}', which is no pattern of repository names such as team/** (lower case, "
                + "* within a component, ** across).");
}
