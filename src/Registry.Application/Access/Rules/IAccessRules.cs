using Registry.Domain.Access;
using Registry.Domain.Catalog;
using Registry.Domain.Errors;

namespace Registry.Application.Access.Rules;

/// <summary>
/// The rules in the database, beside those of the configuration. Every change counts on this node when it returns, and
/// within seconds on every other.
/// </summary>
public interface IAccessRules
{
    /// <summary>In byte order of their ids.</summary>
    Task<Page<StoredRule>> ListAsync(PageRequest page, CancellationToken cancellationToken);

    Task<StoredRule?> FindAsync(string id, CancellationToken cancellationToken);

    Task<StoredRule> AddAsync(AccessRule rule, CancellationToken cancellationToken);

    /// <summary>Refused when there is no such rule, or it is not of that version any more.</summary>
    /// <param name="version">Null for whichever it is.</param>
    Task<Result<StoredRule>> ReplaceAsync(
        string id, AccessRule rule, long? version, CancellationToken cancellationToken);

    /// <inheritdoc cref="ReplaceAsync"/>
    Task<Result<StoredRule>> RemoveAsync(string id, long? version, CancellationToken cancellationToken);
}

/// <param name="Version">Another one after each change.</param>
public sealed record StoredRule(
    string Id, AccessRule Rule, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>What messages call a rule.</summary>
    public static string Called(string id) => $"Rule '{OciError.Shorten(id)}'";
}
