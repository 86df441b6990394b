using System.Text;

namespace Registry.Infrastructure.Access.Ldap;

/// <summary>Search filters with values put in (RFC 4515).</summary>
internal static class LdapFilter
{
    /// <summary>The filter with each placeholder replaced by a value, none of which can be taken for filter.</summary>
    public static string Fill(string filter, string user, string dn)
        => filter
            .Replace("{user}", Escape(user), StringComparison.Ordinal)
            .Replace("{dn}", Escape(dn), StringComparison.Ordinal);

    /// <summary>
    /// Finds whom the filter could find, whatever was typed, and whose attribute has that value.
    /// </summary>
    /// <param name="attribute">The name of one.</param>
    public static string Narrow(string filter, string attribute, string value)
        => $"(&({attribute}={Escape(value)}){filter.Replace("{user}", "*", StringComparison.Ordinal)})";

    /// <summary>
    /// A value for a filter: whatever is not a letter, a digit or one of a few harmless marks is written as the
    /// hexadecimal numbers of its bytes, the braces of placeholders, too.
    /// </summary>
    public static string Escape(string value)
    {
        var escaped = new StringBuilder(value.Length);
        foreach (var part in Encoding.UTF8.GetBytes(value))
        {
            if (char.IsAsciiLetterOrDigit((char)part) || part is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'@')
                escaped.Append((char)part);
            else
                escaped.Append('\\').Append(Convert.ToHexStringLower([part]));
        }

        return escaped.ToString();
    }
}
