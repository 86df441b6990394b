namespace Registry.Application.Access;

/// <summary><c>Registry:Access:Ldap:*</c>: one directory, which several servers may have.</summary>
public sealed class LdapSettings
{
    /// <summary>
    /// Its servers, as <c>ldap://HOST:PORT</c> or <c>ldaps://HOST:PORT</c>, in the order in which they are tried.
    /// </summary>
    public IList<string> Urls { get; } = [];

    /// <summary>Whether a connection to <c>ldap://</c> is encrypted before anything is said. Default false.</summary>
    public bool StartTls { get; set; }

    /// <summary>
    /// A file of the certificates, in PEM, of the authorities that are trusted instead of the system's. Default none.
    /// The certificate of a server, and the name in it, are always checked.
    /// </summary>
    public string? CaFile { get; set; }

    /// <summary>Whether passwords may go to another machine in the clear. Default false.</summary>
    public bool AllowCleartext { get; set; }

    /// <summary>Who searches. Default: nobody, without a password.</summary>
    public string? BindDn { get; set; }

    public string? BindPassword { get; set; }

    /// <summary>A file with the password, in the place of <see cref="BindPassword"/>.</summary>
    public string? BindPasswordFile { get; set; }

    /// <summary>The entry below which users are searched for.</summary>
    public string BaseDn { get; set; } = "";

    /// <summary>
    /// What a user's entry is found by; <c>{user}</c> stands for the name that was typed. Default <c>(uid={user})</c>.
    /// </summary>
    public string UserFilter { get; set; } = "(uid={user})";

    /// <summary>The attribute that has the user's name, whatever was typed. Default <c>uid</c>.</summary>
    public string UserNameAttribute { get; set; } = "uid";

    /// <summary>The entry below which groups are searched for. Default: <see cref="BaseDn"/>.</summary>
    public string? GroupBaseDn { get; set; }

    /// <summary>
    /// What the groups of a user are found by; <c>{dn}</c> stands for the name of the user's entry, <c>{user}</c> for
    /// the user's name. Default <c>(member={dn})</c>.
    /// </summary>
    public string GroupFilter { get; set; } = "(member={dn})";

    /// <summary>The attribute that has the group's name. Default <c>cn</c>.</summary>
    public string GroupNameAttribute { get; set; } = "cn";

    /// <summary>Whether who is in a group is in the groups that this group is in. Default false.</summary>
    public bool NestedGroups { get; set; }

    /// <summary>How long a server may take for each step before the next one is tried. Default 5 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a password that was right, and the groups of a user, are remembered. Default a minute. What was wrong
    /// is remembered for 10 seconds at most.
    /// </summary>
    public TimeSpan CacheFor { get; set; } = TimeSpan.FromMinutes(1);
}
