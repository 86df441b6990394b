namespace Registry.Domain.Access;

/// <summary>
/// What a subject may, or may not, do in some repositories. Where several rules fit, one that denies wins; where none
/// fits, nothing is allowed.
/// </summary>
/// <param name="Denies">Whether it takes away instead of giving.</param>
public sealed record AccessRule(AccessSubject Subject, AccessGrant Grant, bool Denies);
