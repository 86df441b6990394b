using System.DirectoryServices.Protocols;
using Registry.Infrastructure.Access.Passwords;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>A user's entry.</summary>
/// <param name="Dn">Its name in the directory, as the server writes it.</param>
/// <param name="Name">The user's name, as the directory writes it.</param>
/// <param name="Id">Another one for an entry that is made later under the same name.</param>
/// <param name="PasswordMark">
/// Another one once the password has been changed; null where the directory does not show when that was.
/// </param>
/// <param name="IsLocked">Whether the directory says that nobody is let in as this user now.</param>
internal sealed record LdapUser(string Dn, string Name, string Id, string? PasswordMark, bool IsLocked)
{
    // Of OpenLDAP's policy, of 389 Directory Server and FreeIPA, of Active Directory. Not everybody may see them.
    private const string LockedSince = "pwdAccountLockedTime";
    private const string LockFlag = "nsAccountLock";
    private const string Control = "userAccountControl";
    private const string ComputedControl = "msDS-User-Account-Control-Computed";

    private const int Disabled = 0x2;
    private const int LockedOutOrExpired = 0x10 | 0x800000;

    // Of OpenLDAP and others (RFC 4530), of Active Directory, of 389 Directory Server.
    private static readonly string[] IdAttributes = ["entryUUID", "objectGUID", "nsUniqueId"];

    // Of OpenLDAP's policy and others, of Active Directory, of FreeIPA, of accounts of Unix.
    private static readonly string[] PasswordAttributes
        = ["pwdChangedTime", "pwdLastSet", "krbLastPwdChange", "shadowLastChange"];

    /// <summary>The attributes besides the name that an entry is read with.</summary>
    public static readonly string[] Attributes
        = [.. IdAttributes, .. PasswordAttributes, LockedSince, LockFlag, Control, ComputedControl];

    /// <summary>Null when the entry has not exactly one name.</summary>
    public static LdapUser? Of(SearchResultEntry entry, string nameAttribute)
        => Values(entry, nameAttribute) is [var name]
            ? new(
                entry.DistinguishedName, name,
                MarkOf(entry, IdAttributes) ?? SecretMark.Of(entry.DistinguishedName.ToUpperInvariant()),
                MarkOf(entry, PasswordAttributes), IsLockedOf(entry))
            : null;

    /// <summary>The values of an attribute that are text.</summary>
    public static string[] Values(SearchResultEntry entry, string attribute)
        => entry.Attributes[attribute] is { } found
            ? [.. Enumerable.Range(0, found.Count).Select(i => found[i]).OfType<string>()]
            : [];

    // Of the first that can be seen: some are bytes and some are text.
    private static string? MarkOf(SearchResultEntry entry, string[] attributes)
    {
        foreach (var name in attributes)
        {
            if (entry.Attributes[name]?.GetValues(typeof(byte[])) is [byte[] value, ..])
                return SecretMark.Of(value);
        }

        return null;
    }

    private static bool IsLockedOf(SearchResultEntry entry)
        => Values(entry, LockedSince).Length > 0
            || Values(entry, LockFlag).Any(value => value.Equals("true", StringComparison.OrdinalIgnoreCase))
            || Has(entry, Control, Disabled)
            || Has(entry, ComputedControl, LockedOutOrExpired);

    private static bool Has(SearchResultEntry entry, string attribute, int flags)
        => Values(entry, attribute).Any(value => int.TryParse(value, out var number) && (number & flags) != 0);
}
