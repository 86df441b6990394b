using System.Text.Json;
using System.Text.RegularExpressions;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Domain.Errors;
using Registry.Infrastructure.Access.Jwt;

namespace Registry.Infrastructure.Access.Workload;

/// <summary>Who a workload is by the claims of its token, once that is known to be the issuer's.</summary>
internal sealed class WorkloadClaims
{
    private readonly string _id;
    private readonly WorkloadName _name;
    private readonly (string Claim, Regex Pattern)[] _required;
    private readonly (string Group, string Claim, Regex Pattern)[] _groups;
    private readonly string? _groupsClaim;
    private readonly string[] _claims;

    /// <exception cref="FormatException"><see cref="WorkloadSettings.Name"/> cannot be read.</exception>
    public WorkloadClaims(WorkloadSettings settings)
    {
        _id = settings.IdInForce();
        _name = WorkloadName.Parse(settings.Name);
        _required = [.. settings.RequiredClaims.Select(entry => (entry.Key, ToRegex(entry.Value)))];
        _groups = [.. settings.Groups.Select(group => (group.Group, group.Claim, ToRegex(group.Value)))];
        _groupsClaim = string.IsNullOrEmpty(settings.GroupsClaim) ? null : settings.GroupsClaim;
        _claims = [.. settings.Claims];
    }

    /// <summary>Refused when a claim is missing that the settings want, or is something else.</summary>
    public Result<Principal> ToPrincipal(JsonElement claims, DateTimeOffset until)
    {
        foreach (var (claim, pattern) in _required)
        {
            if (!Values(claims, claim).Any(pattern.IsMatch))
                return OciError.TokenInvalid($"does not have in its claim '{claim}' what is required here");
        }

        if (!_name.TryFill(claim => Values(claims, claim) is [var only] ? only : null, out var name)
            || !AccessSubject.TryParse(AccessSubject.Workload(_id, name).Text, out var subject))
            return OciError.TokenInvalid("has no claims that make a name here");

        var groups = _groups
            .Where(group => Values(claims, group.Claim).Any(group.Pattern.IsMatch))
            .Select(group => group.Group)
            .Concat(_groupsClaim is null ? [] : Values(claims, _groupsClaim).Where(AccessSubject.IsName));
        // What is too long for a rule, no rule can name.
        var named =
            from claim in _claims
            from value in Values(claims, claim)
            where AccessSubject.IsName($"{claim}={value}")
            select AccessSubject.Claim(claim, value);
        return Principal.Of(subject, [.. groups.Distinct(StringComparer.Ordinal).Select(AccessSubject.Group), .. named])
            with { Until = until };
    }

    /// <summary>
    /// What a claim says: of a list, each that is in it. A claim within another is named with slashes, such as
    /// <c>kubernetes.io/serviceaccount/name</c>.
    /// </summary>
    internal static IReadOnlyList<string> Values(JsonElement claims, string name)
    {
        if (!TryFind(claims, name, out var value))
            return [];
        return value.ValueKind is JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(Text).OfType<string>()]
            : Text(value) is { } text ? [text] : [];
    }

    private static bool TryFind(JsonElement claims, string name, out JsonElement value)
    {
        value = default;
        if (claims.ValueKind is not JsonValueKind.Object)
            return false;
        if (claims.TryGetProperty(name, out value))
            return true;
        for (var slash = name.IndexOf('/', StringComparison.Ordinal); slash > 0;
            slash = name.IndexOf('/', slash + 1))
        {
            if (claims.TryGetProperty(name[..slash], out var inner) && TryFind(inner, name[(slash + 1)..], out value))
                return true;
        }

        return false;
    }

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => JsonWebToken.Text(value),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };

    private static Regex ToRegex(string pattern)
    {
        var expression = Regex.Escape(pattern)
            .Replace(@"\*\*", ".*", StringComparison.Ordinal)
            .Replace(@"\*", "[^/:]*", StringComparison.Ordinal);
        return new(
            $@"\A(?:{expression})\z",
            RegexOptions.NonBacktracking | RegexOptions.Singleline | RegexOptions.CultureInvariant,
            TimeSpan.FromSeconds(1));
    }
}
