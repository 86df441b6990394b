namespace Registry.Application.Access.AccessTokens;

/// <summary>What a token shall be, as it is asked for.</summary>
/// <param name="Scope">
/// What it can be used for at most: registries, repositories and actions as rules name them (their subjects and effects
/// say nothing here). Null for all that its owner may do.
/// </param>
/// <param name="ExpiresAt">Null for never.</param>
public sealed record TokenDraft(
    string Description, IReadOnlyList<AccessRuleSettings>? Scope, DateTimeOffset? ExpiresAt);
