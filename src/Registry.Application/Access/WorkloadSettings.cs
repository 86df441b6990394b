namespace Registry.Application.Access;

/// <summary>
/// <c>Registry:Access:Workload:*</c>: an issuer whose signed tokens (OpenID Connect) are taken as passwords.
/// </summary>
public sealed class WorkloadSettings
{
    /// <summary>What tokens have in <c>iss</c>, byte by byte: <c>https://HOST[/PATH]</c>.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>
    /// What the names of its workloads begin with, <c>workload:ID/…</c>: lower-case letters, digits, dots and dashes.
    /// Default: the host of <see cref="Issuer"/>.
    /// </summary>
    public string? Id { get; set; }

    /// <summary>What tokens must have in <c>aud</c>: such as the address of this registry.</summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// A file with the issuer's public keys (a JWK set), read again when it changes. Default none: they are asked for
    /// at the issuer.
    /// </summary>
    public string? KeysFile { get; set; }

    /// <summary>
    /// Whether the issuer's name may lead to an address of a private network. Default false. One that is written as an
    /// address needs no leave.
    /// </summary>
    public bool AllowPrivateAddress { get; set; }

    /// <summary>
    /// What a workload is called behind <c>workload:ID/</c>: text with claims in braces. Default <c>{sub}</c>.
    /// </summary>
    public string Name { get; set; } = "{sub}";

    /// <summary>
    /// For names of claims, a pattern of what each must be: <c>*</c> is anything but <c>/</c> and <c>:</c>, <c>**</c>
    /// anything. A token that lacks one of them is refused.
    /// </summary>
    public IDictionary<string, string> RequiredClaims { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Groups that workloads are in by what a claim says.</summary>
    public IList<WorkloadGroupSettings> Groups { get; } = [];

    /// <summary>A claim that itself lists the groups that the workload is in. Default none.</summary>
    public string? GroupsClaim { get; set; }

    /// <summary>Claims that rules can name as <c>claim:NAME=VALUE</c>.</summary>
    public IList<string> Claims { get; } = [];

    /// <summary>What the names of its workloads begin with.</summary>
    /// <exception cref="UriFormatException">There is no <see cref="Id"/>, and the issuer is no address.</exception>
    public string IdInForce() => string.IsNullOrEmpty(Id) ? new Uri(Issuer).Host : Id;
}

/// <summary><c>Registry:Access:Workload:*:Groups:*</c></summary>
public sealed class WorkloadGroupSettings
{
    public string Group { get; set; } = "";

    public string Claim { get; set; } = "";

    /// <summary>A pattern as in <see cref="WorkloadSettings.RequiredClaims"/>.</summary>
    public string Value { get; set; } = "";
}
