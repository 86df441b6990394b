namespace Registry.Domain.Access;

/// <summary>Where to find a principal again, as it is later on.</summary>
/// <param name="Provider">The name of the provider that knows it.</param>
/// <param name="Key">What the provider knows it by: the name of a user, the id of a token.</param>
public sealed record AccountReference(string Provider, string Key);
