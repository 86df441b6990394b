using Registry.Domain.Access;

namespace Registry.Application.Access;

/// <summary>
/// What the database says about access, as this node knows it: changes count within seconds on every node, and at once
/// on the one that made them.
/// </summary>
public interface IStoredAccess
{
    /// <summary>Replaced as a whole when it changes: who makes something of it can keep that by reference.</summary>
    StoredAccess Current { get; }

    /// <summary>
    /// Makes sure that <see cref="Current"/> is at most a few seconds old: nothing as a rule, and a look at the
    /// database where the one that is made all the time has been held up. Said before anything is judged.
    /// </summary>
    ValueTask EnsureFreshAsync(CancellationToken cancellationToken);
}

/// <param name="Rules">By their id.</param>
/// <param name="RevokedBefore">
/// For names of principals: tokens that were issued up to then are worth nothing any more.
/// </param>
public sealed record StoredAccess(
    IReadOnlyDictionary<string, AccessRule> Rules, IReadOnlyDictionary<string, DateTimeOffset> RevokedBefore)
{
    public static readonly StoredAccess Nothing = new(
        new Dictionary<string, AccessRule>(StringComparer.Ordinal),
        new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal));
}
