using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access;
using Registry.Application.Access.AccessTokens;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Web.Admin;

/// <param name="Description" example="Laptop">One line, up to 255 characters.</param>
/// <param name="Scope">What it can be used for at most; left out, all that its owner may do.</param>
/// <param name="ExpiresAt" example="2030-01-01T00:00:00Z">When it ends; left out, never.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateTokenRequest(
    string? Description, IReadOnlyList<GrantRequest>? Scope, DateTimeOffset? ExpiresAt)
{
    internal Result<TokenDraft> ToDraft()
    {
        List<AccessRuleSettings>? grants = Scope is null ? null : [];
        foreach (var grant in Scope ?? [])
        {
            if (!RuleInput.Read(subject: "", grant.Registry, grant.Repositories, grant.Actions, effect: null)
                    .TryGet(out var settings, out var errors))
                return Result<TokenDraft>.Refused(errors);
            grants!.Add(settings);
        }

        return new TokenDraft(Description ?? "", grants, ExpiresAt);
    }
}

/// <param name="Registry" example="default">The registry it is about; left out, all of them.</param>
/// <param name="Repositories" example="[&quot;team/**&quot;]">
/// Patterns of names inside the registry: <c>*</c> within a component, <c>**</c> across.
/// </param>
/// <param name="Actions" example="[&quot;pull&quot;, &quot;push&quot;]">
/// Some of <c>pull</c>, <c>push</c>, <c>overwrite</c>, <c>delete</c>, <c>admin</c>.
/// </param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record GrantRequest(
    string? Registry, IReadOnlyList<string> Repositories, IReadOnlyList<string> Actions);

/// <param name="OverlapSeconds" example="3600">
/// How long the secret before still counts, up to 30 days; left out, it ends at once.
/// </param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RotateTokenRequest(int? OverlapSeconds);

/// <param name="Id" example="0f3c52a1b7d4e6f80912">Names it; no secret.</param>
/// <param name="Robot" example="ci">The robot that it belongs to; null for a user's.</param>
/// <param name="Provider" example="local">Who knows the user that it belongs to; null for a robot's.</param>
/// <param name="User" example="alice">Its user's name; null for a robot's.</param>
/// <param name="Description" example="Laptop"></param>
/// <param name="Scope">What it can be used for at most; null for all that its owner may do.</param>
/// <param name="ExpiresAt">When it ends; null for never.</param>
/// <param name="LastUsedAt">To the minute; null for never yet.</param>
/// <param name="PreviousSecretUntil">
/// Until when the secret before the last rotation counts; null when it does not.
/// </param>
public sealed record AccessTokenModel(
    string Id, string? Robot, string? Provider, string? User, string Description, IReadOnlyList<GrantModel>? Scope,
    DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt,
    DateTimeOffset? PreviousSecretUntil)
{
    internal static AccessTokenModel Of(AccessToken token)
        => new(
            token.Id, token.Owner.Robot?.Value, token.Owner.User?.Provider, token.Owner.User?.Name, token.Description,
            token.Scope is { } scope ? [.. scope.Grants.Select(GrantModel.Of)] : null,
            token.CreatedAt, token.ExpiresAt, token.LastUsedAt, token.PreviousUntil);
}

/// <param name="Registry" example="default">Null for all of them.</param>
public sealed record GrantModel(string? Registry, IReadOnlyList<string> Repositories, IReadOnlyList<string> Actions)
{
    internal static GrantModel Of(AccessGrant grant)
        => new(
            grant.Registry?.Value, [.. grant.Repositories.Select(glob => glob.Text)],
            [.. grant.Actions.Select(RuleInput.Show)]);
}

/// <param name="Secret" example="rgt_…">Shown as the password. Told this once.</param>
public sealed record RevealedTokenModel(string Secret, AccessTokenModel Token)
{
    internal static RevealedTokenModel Of(RevealedToken revealed)
        => new(revealed.Secret, AccessTokenModel.Of(revealed.Token));
}

/// <summary>How tokens are answered: with their version, and no secret where it could be kept.</summary>
internal static class AccessTokenResult
{
    public static IActionResult Shown(HttpResponse response, AccessToken token)
    {
        EntityVersion.Show(response, token.Version);
        return new OkObjectResult(AccessTokenModel.Of(token));
    }

    public static IActionResult Revealed(HttpResponse response, RevealedToken revealed)
    {
        EntityVersion.Show(response, revealed.Token.Version);
        response.Headers.CacheControl = "no-store";
        return new OkObjectResult(RevealedTokenModel.Of(revealed));
    }

    /// <param name="list">The path of the list that it is in now.</param>
    public static IActionResult Created(HttpResponse response, RevealedToken revealed, string list)
    {
        EntityVersion.Show(response, revealed.Token.Version);
        response.Headers.CacheControl = "no-store";
        return new CreatedResult($"{list}/{revealed.Token.Id}", RevealedTokenModel.Of(revealed));
    }
}
