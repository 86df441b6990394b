using System.Text.Json;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Infrastructure.Database;

/// <summary>How rules, and the grants that tokens are limited to, stand in columns: lists are JSON.</summary>
internal static class AccessRuleColumns
{
    public static AccessRule Rule(
        string subject, string? registry, string repositories, string actions, bool denies)
    {
        var settings = new AccessRuleSettings
        {
            Subject = subject,
            Registry = registry,
            Effect = denies ? AccessEffect.Deny : AccessEffect.Allow,
        };
        foreach (var pattern in JsonSerializer.Deserialize<string[]>(repositories)!)
            settings.Repositories.Add(pattern);
        foreach (var action in JsonSerializer.Deserialize<string[]>(actions)!)
            settings.Actions.Add(Enum.Parse<RegistryAction>(action, ignoreCase: true));
        return settings.ToRule();
    }

    public static string Repositories(AccessGrant grant) => JsonSerializer.Serialize(Patterns(grant));

    public static string Actions(AccessGrant grant) => JsonSerializer.Serialize(Names(grant));

    public static string? Scope(CredentialScope? scope)
        => scope is null
            ? null
            : JsonSerializer.Serialize(scope.Grants.Select(
                grant => new ScopeGrant(grant.Registry?.Value, Patterns(grant), Names(grant))));

    public static CredentialScope? Scope(string? json)
        => json is null
            ? null
            : new([.. JsonSerializer.Deserialize<ScopeGrant[]>(json)!.Select(grant => grant.ToGrant())]);

    private static string[] Patterns(AccessGrant grant) => [.. grant.Repositories.Select(glob => glob.Text)];

    private static string[] Names(AccessGrant grant)
        => [.. grant.Actions.Select(action => action.ToString().ToLowerInvariant())];

    private sealed record ScopeGrant(string? Registry, string[] Repositories, string[] Actions)
    {
        public AccessGrant ToGrant() => new(
            Registry is null ? null : RegistryName.Parse(Registry),
            [.. Repositories.Select(text => RepositoryGlob.TryParse(text, out var glob)
                ? glob
                : throw new FormatException($"'{text}' is no pattern."))],
            [.. Actions.Select(action => Enum.Parse<RegistryAction>(action, ignoreCase: true))]);
    }
}
