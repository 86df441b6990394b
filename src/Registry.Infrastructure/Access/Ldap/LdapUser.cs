using System.DirectoryServices.Protocols;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>A user's entry.</summary>
/// <param name="Dn">Its name in the directory, as the server writes it.</param>
/// <param name="Name">The user's name, as the directory writes it.</param>
/// <param name="IsLocked">Whether the directory says that nobody is let in as this user now.</param>
internal sealed record LdapUser(string Dn, string Name, bool IsLocked)
{
    // Of OpenLDAP's policy, of 389 Directory Server and FreeIPA, of Active Directory. Not everybody may see them.
    private const string LockedSince = "pwdAccountLockedTime";
    private const string LockFlag = "nsAccountLock";
    private const string Control = "userAccountControl";
    private const string ComputedControl = "msDS-User-Account-Control-Computed";

    private const int Disabled = 0x2;
    private const int LockedOutOrExpired = 0x10 | 0x800000;

    /// <summary>The attributes that tell whether an account is locked.</summary>
    public static readonly string[] LockAttributes = [LockedSince, LockFlag, Control, ComputedControl];

    /// <summary>Null when the entry has not exactly one name.</summary>
    public static LdapUser? Of(SearchResultEntry entry, string nameAttribute)
        => Values(entry, nameAttribute) is [var name] ? new(entry.DistinguishedName, name, IsLockedOf(entry)) : null;

    /// <summary>The values of an attribute that are text.</summary>
    public static string[] Values(SearchResultEntry entry, string attribute)
        => entry.Attributes[attribute] is { } found
            ? [.. Enumerable.Range(0, found.Count).Select(i => found[i]).OfType<string>()]
            : [];

    private static bool IsLockedOf(SearchResultEntry entry)
        => Values(entry, LockedSince).Length > 0
            || Values(entry, LockFlag).Any(value => value.Equals("true", StringComparison.OrdinalIgnoreCase))
            || Has(entry, Control, Disabled)
            || Has(entry, ComputedControl, LockedOutOrExpired);

    private static bool Has(SearchResultEntry entry, string attribute, int flags)
        => Values(entry, attribute).Any(value => int.TryParse(value, out var number) && (number & flags) != 0);
}
