using System.Diagnostics.CodeAnalysis;
using Registry.Domain.Access;
using Registry.Domain.Repositories;

namespace Registry.Application.Access.Tokens;

/// <summary>
/// A scope as clients ask for it (Docker token specification, "Token Scope Documentation"): type, name and actions. A
/// type, name or action that means nothing here asks for nothing.
/// </summary>
/// <param name="Repository">Null when it is about no repository.</param>
/// <param name="IsCatalog">Whether it asks for lists of repositories.</param>
internal sealed record RequestedScope(
    RepositoryName? Repository, IReadOnlyList<RegistryAction> Actions, bool IsCatalog)
{
    private const int MaxLength = 1024;

    // What this registry tells apart when something is pushed, clients do not.
    private static readonly RegistryAction[] Pushing = [RegistryAction.Push, RegistryAction.Overwrite];

    public static bool TryParse(string text, [NotNullWhen(true)] out RequestedScope? scope)
    {
        scope = null;
        var first = text.IndexOf(':', StringComparison.Ordinal);
        var last = text.LastIndexOf(':'); // a name may begin with a host and its port
        if (text.Length > MaxLength || first <= 0 || last <= first + 1)
            return false;

        // repository(plugin) is a repository too
        var type = text[..first].Split('(', 2)[0];
        var name = text[(first + 1)..last];
        var isRepository = type == "repository" && RepositoryName.TryParse(name, out _);
        scope = new(
            isRepository ? RepositoryName.Parse(name) : null,
            [.. text[(last + 1)..].Split(',').SelectMany(ToActions).Distinct()],
            IsCatalog: type == "registry" && name == "catalog");
        return true;
    }

    private static IEnumerable<RegistryAction> ToActions(string action) => action switch
    {
        "pull" => [RegistryAction.Pull],
        "push" => Pushing,
        "delete" => [RegistryAction.Delete],
        "*" => [RegistryAction.Pull, .. Pushing, RegistryAction.Delete],
        _ => [],
    };
}
