using System.Text.RegularExpressions;
using Registry.Application.Access;
using Registry.Domain.Access;
using Registry.Infrastructure;

namespace Registry.Web.Configuration;

/// <summary>What the settings of an issuer of workloads' tokens must be like.</summary>
internal static partial class WorkloadRules
{
    /// <param name="key">Where the settings stand.</param>
    /// <param name="before">The issuers that stand before it.</param>
    /// <exception cref="StartRefusedException">Names key, value and fix.</exception>
    public static void Check(string key, WorkloadSettings settings, IEnumerable<WorkloadSettings> before)
    {
        Require(
            Uri.TryCreate(settings.Issuer, UriKind.Absolute, out var issuer)
                && (issuer.Scheme == Uri.UriSchemeHttps || issuer.Scheme == Uri.UriSchemeHttp)
                && issuer.UserInfo.Length + issuer.Query.Length + issuer.Fragment.Length == 0,
            $"{key}:Issuer is '{settings.Issuer}', which is no address such as "
            + "https://token.actions.githubusercontent.com: give what the tokens have in iss.");
        Require(
            issuer!.Scheme == Uri.UriSchemeHttps || issuer.IsLoopback || !string.IsNullOrEmpty(settings.KeysFile),
            $"{key}:Issuer is '{settings.Issuer}': keys are read over https, except from this machine; "
            + $"set {key}:KeysFile.");
        Require(
            !string.IsNullOrEmpty(settings.Audience),
            $"{key}:Audience is empty: name what tokens for this registry have in aud, such as its own address.");
        Require(
            Id().IsMatch(settings.IdInForce()),
            $"{key}:Id is '{settings.IdInForce()}', it must be lower-case letters, digits, dots and dashes.");
        Require(
            before.All(other => other.IdInForce() != settings.IdInForce()),
            $"{key}:Id is '{settings.IdInForce()}' like that of another issuer: set {key}:Id to another name.");
        CheckName(key, settings.Name);
        foreach (var (claim, pattern) in settings.RequiredClaims)
        {
            Require(
                !string.IsNullOrEmpty(pattern),
                $"{key}:RequiredClaims:{claim} is empty: give what the claim must be, ** for anything.");
        }

        for (var i = 0; i < settings.Groups.Count; i++)
        {
            var (group, at) = (settings.Groups[i], FormattableString.Invariant($"{key}:Groups:{i}"));
            Require(
                AccessSubject.IsName(group.Group ?? ""), $"{at}:Group is '{group.Group}', which is no group's name.");
            Require(!string.IsNullOrEmpty(group.Claim), $"{at}:Claim is empty: name a claim.");
            Require(
                !string.IsNullOrEmpty(group.Value),
                $"{at}:Value is empty: give what the claim must be, ** for anything.");
        }

        foreach (var claim in settings.Claims)
        {
            Require(
                !string.IsNullOrEmpty(claim) && !claim.Contains('=', StringComparison.Ordinal),
                $"{key}:Claims has '{claim}', which is no claim's name.");
        }
    }

    private static void CheckName(string key, string name)
    {
        try
        {
            WorkloadName.Parse(name ?? "");
        }
        catch (FormatException e)
        {
            throw new StartRefusedException(
                $"{key}:Name is '{name}', which {e.Message}; give text with claims in braces such as {{sub}}.", e);
        }
    }

    private static void Require(bool holds, string problem)
    {
        if (!holds)
            throw new StartRefusedException(problem);
    }

    [GeneratedRegex(@"\A[a-z0-9]+(?:[.-]+[a-z0-9]+)*\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Id();
}
