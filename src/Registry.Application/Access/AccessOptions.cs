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

    public HtpasswdSettings Htpasswd { get; } = new();

    /// <summary>Whether there is anybody who can show credentials.</summary>
    public bool HasProviders() => !string.IsNullOrEmpty(Htpasswd.Path);

    /// <summary>Whether nobody has said anything about access yet.</summary>
    public bool IsUndecided() => Anonymous is null && Rules.Count == 0 && !HasProviders();
}

/// <summary><c>Registry:Access:Htpasswd</c></summary>
public sealed class HtpasswdSettings
{
    /// <summary>
    /// A file of users and bcrypt hashes, as <c>htpasswd -B</c> writes it; read again when it changes. Default none.
    /// </summary>
    public string? Path { get; set; }
}
