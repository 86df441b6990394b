using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Rules;

/// <summary>Keeps the last right to administer from being taken away, as far as rules tell.</summary>
internal sealed class Administration(ConfiguredRules configured, IStoredAccess stored)
{
    /// <summary>
    /// Refuses a change after which no rule gives the right to administer any more, though one does now.
    /// </summary>
    /// <param name="id">The stored rule that changes.</param>
    /// <param name="replacement">Null when it goes.</param>
    public OciError? RefuseChange(string id, AccessRule? replacement)
    {
        var others = stored.Current.Rules.Where(rule => rule.Key != id).Select(rule => rule.Value);
        return RefuseLoss(replacement is null ? others : others.Append(replacement));
    }

    /// <inheritdoc cref="RefuseChange"/>
    public OciError? RefuseAddition(AccessRule rule) => RefuseLoss(stored.Current.Rules.Values.Append(rule));

    private OciError? RefuseLoss(IEnumerable<AccessRule> after)
        => IsPossible(stored.Current.Rules.Values) && !IsPossible(after)
            ? new(
                OciErrorCode.Unsupported, ErrorReason.Conflict,
                "Nobody could administer the registry after this: give somebody else Admin on ** of all registries "
                + "first.")
            : null;

    // A rule about groups or users says nothing of whether there is one: this much is simple to tell.
    private bool IsPossible(IEnumerable<AccessRule> rules)
    {
        AccessRule[] all = [.. configured.Current.Values, .. rules];
        return all.Any(rule => !rule.Denies && rule.Grant.CoversEverything(RegistryAction.Admin)
            && !all.Any(other => other.Denies && other.Grant.Actions.Contains(RegistryAction.Admin)
                && (other.Subject == AccessSubject.Everyone || other.Subject == rule.Subject)));
    }
}
