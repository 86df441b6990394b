namespace Registry.Application.Access;

/// <summary>What everybody may do, with or without credentials.</summary>
public enum AnonymousAccess
{
    None,
    Pull,

    /// <summary>Pull, push and delete.</summary>
    Push,
}

/// <summary><c>Registry:Access</c></summary>
public sealed class AccessOptions
{
    /// <summary>
    /// What everybody may do everywhere. Left out, with everything else of this section, the programs of this machine
    /// (<see cref="Registry.Domain.Access.Principal.Local"/>) may do everything and nobody else anything.
    /// </summary>
    public AnonymousAccess? Anonymous { get; set; }

    /// <summary>Who may do what in which repositories.</summary>
    public IList<AccessRuleSettings> Rules { get; } = [];

    /// <summary>
    /// Who is asked about a user and password, in this order: the first that has a user of that name decides. Left out:
    /// the issuers of workloads' tokens, who know theirs by the password, the local users, then everybody else who is
    /// configured. Robots and access tokens are always known.
    /// </summary>
    public IList<AccessProvider> Providers { get; } = [];

    public AdminSettings Admin { get; } = new();

    public HtpasswdSettings Htpasswd { get; } = new();

    /// <summary>Directories, asked in this order.</summary>
    public IList<LdapSettings> Ldap { get; } = [];

    public TokenSettings Tokens { get; } = new();

    /// <summary>The issuers of tokens by which workloads are known.</summary>
    public IList<WorkloadSettings> Workload { get; } = [];

    /// <summary>Whether nobody has said anything about access yet.</summary>
    public bool IsUndecided()
        => Anonymous is null && Rules.Count == 0 && Providers.Count == 0 && ConfiguredProviders().Count == 1;

    /// <summary>Whom to ask, in order.</summary>
    public IReadOnlyList<AccessProvider> ProvidersInOrder()
        => Providers.Count > 0 ? [.. Providers.Distinct()] : ConfiguredProviders();

    /// <summary>The providers that can be asked at all.</summary>
    public IReadOnlyList<AccessProvider> ConfiguredProviders()
    {
        List<AccessProvider> configured = [AccessProvider.Local];
        if (!string.IsNullOrEmpty(Htpasswd.Path))
            configured.Add(AccessProvider.Htpasswd);
        if (Workload.Count > 0)
            configured.Insert(0, AccessProvider.Workload);
        if (Ldap.Count > 0)
            configured.Add(AccessProvider.Ldap);
        return configured;
    }
}

/// <summary>Where users and passwords come from.</summary>
public enum AccessProvider
{
    /// <summary>Users in the database.</summary>
    Local,

    Htpasswd,

    /// <summary>Tokens of CI systems and clusters (OpenID Connect).</summary>
    Workload,

    /// <summary>Users of a directory (LDAP, Active Directory).</summary>
    Ldap,
}

/// <summary><c>Registry:Access:Admin</c></summary>
public sealed class AdminSettings
{
    /// <summary>
    /// A file with the password that the first start gives to the user <c>admin</c>. Left out, the first start makes
    /// one and writes it to <c>initial-admin-password</c> in the data folder.
    /// </summary>
    public string? PasswordFile { get; set; }
}

/// <summary><c>Registry:Access:Tokens</c></summary>
public sealed class TokenSettings
{
    /// <summary>How long a bearer token counts. Default 15 minutes.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a refresh token counts. Default 30 days.</summary>
    public TimeSpan RefreshLifetime { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long a key signs before another one follows. Default 90 days.</summary>
    public TimeSpan KeyLifetime { get; set; } = TimeSpan.FromDays(90);
}

/// <summary><c>Registry:Access:Htpasswd</c></summary>
public sealed class HtpasswdSettings
{
    /// <summary>
    /// A file of users and bcrypt hashes, as <c>htpasswd -B</c> writes it; read again when it changes. Default none.
    /// </summary>
    public string? Path { get; set; }
}
