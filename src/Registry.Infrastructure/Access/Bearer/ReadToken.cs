using System.Text.Json;
using Registry.Domain.Access;
using Registry.Domain.Repositories;
using Registry.Infrastructure.Access.Jwt;

namespace Registry.Infrastructure.Access.Bearer;

/// <summary>What a bearer token says.</summary>
/// <param name="Principal">
/// Who it was issued to: the anonymous one, one that is known by the token alone, or, where there is an
/// <paramref name="Account"/>, only the name.
/// </param>
internal sealed record ReadToken(
    Principal Principal, AccountReference? Account, string Service, TokenScope Scope, DateTimeOffset IssuedAt,
    DateTimeOffset NotBefore, DateTimeOffset Expires)
{
    /// <summary>Null when the claims are not those of such a token.</summary>
    public static ReadToken? Of(JsonElement claims)
    {
        try
        {
            return JsonWebToken.Text(claims, "sub") is { } name
                && JsonWebToken.Text(claims, "aud") is { } service
                && JsonWebToken.Time(claims, "iat") is { } issued
                && JsonWebToken.Time(claims, "nbf") is { } notBefore
                && JsonWebToken.Time(claims, "exp") is { } expires
                    ? new(
                        PrincipalOf(claims, name), AccountOf(claims), service,
                        ScopeOf(claims.GetProperty("access")), issued, notBefore, expires)
                    : null;
        }
        catch (Exception e) when (
            e is KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            return null; // such as an action that only a newer version of this server knows
        }
    }

    private static AccountReference? AccountOf(JsonElement claims)
        => claims.TryGetProperty("account", out var account)
            ? new(
                account.GetProperty("provider").GetString()!, account.GetProperty("key").GetString()!,
                JsonWebToken.Text(account, "mark"))
            : null;

    private static Principal PrincipalOf(JsonElement claims, string name)
    {
        if (!claims.TryGetProperty("subjects", out var listed))
            return new(name);
        AccessSubject[] subjects = [.. listed.EnumerateArray().Select(item => SubjectOf(item.GetString()))];
        return subjects is [var first, .. var others] ? Principal.Of(first, others) : Principal.Anonymous;
    }

    private static AccessSubject SubjectOf(string? text)
        => AccessSubject.TryParse(text, out var subject) ? subject : throw new FormatException("No subject.");

    private static TokenScope ScopeOf(JsonElement access)
    {
        var repositories = new Dictionary<RepositoryIdentity, IReadOnlyList<RegistryAction>>();
        var lists = false;
        foreach (var entry in access.EnumerateArray())
        {
            if (entry.GetProperty("type").GetString() == "registry")
            {
                lists = true;
                continue;
            }

            var identity = new RepositoryIdentity(
                RegistryName.Parse(entry.GetProperty("registry").GetString()!),
                RepositoryName.Parse(entry.GetProperty("repository").GetString()!));
            var actions = entry.GetProperty("actions").EnumerateArray()
                .Select(action => Enum.Parse<RegistryAction>(action.GetString()!, ignoreCase: true));
            // Two names that a client uses can mean one repository.
            repositories[identity] = repositories.TryGetValue(identity, out var before)
                ? [.. before.Union(actions)]
                : [.. actions];
        }

        return new(repositories, lists);
    }
}
