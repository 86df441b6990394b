using System.Text.RegularExpressions;
using Registry.Application.Access;
using Registry.Infrastructure;

namespace Registry.Web.Configuration;

/// <summary>What the settings of a directory must be like.</summary>
internal static class LdapRules
{
    /// <summary>Puts defaults, and the content of each <c>BindPasswordFile</c>, into their places.</summary>
    /// <exception cref="StartRefusedException">A file cannot be read.</exception>
    public static void Complete(IList<LdapSettings> directories)
    {
        var defaults = new LdapSettings();
        foreach (var (key, directory) in Keyed(directories))
        {
            // What a file sets to null is as good as not set.
            directory.BaseDn ??= defaults.BaseDn;
            directory.UserFilter ??= defaults.UserFilter;
            directory.UserNameAttribute ??= defaults.UserNameAttribute;
            directory.GroupFilter ??= defaults.GroupFilter;
            directory.GroupNameAttribute ??= defaults.GroupNameAttribute;
            if (string.IsNullOrEmpty(directory.BindPasswordFile))
                continue;
            OptionsRules.Require(
                string.IsNullOrEmpty(directory.BindPassword),
                $"{key}:BindPassword and {key}:BindPasswordFile are both set: leave one.");
            try
            {
                directory.BindPassword = File.ReadAllText(directory.BindPasswordFile).TrimEnd('\r', '\n');
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new StartRefusedException(
                    $"{key}:BindPasswordFile is '{directory.BindPasswordFile}', which cannot be read "
                    + $"({e.Message.TrimEnd('.')}): name a file that the server's user may read.",
                    e);
            }
        }
    }

    /// <exception cref="StartRefusedException">Names key, value and fix.</exception>
    public static void Check(IList<LdapSettings> directories)
    {
        foreach (var (key, directory) in Keyed(directories))
        {
            OptionsRules.Require(
                directory.Urls.Count > 0, $"{key}:Urls is empty: name a server, such as ldaps://ldap.example.com.");
            foreach (var url in directory.Urls)
                CheckUrl(key, url, directory);
            CheckPassword(key, directory);
            CheckSearches(key, directory);
            OptionsRules.Require(
                directory.Timeout >= TimeSpan.FromSeconds(1) && directory.Timeout <= TimeSpan.FromMinutes(1),
                $"{key}:Timeout is {directory.Timeout}, it must be from a second to a minute.");
            OptionsRules.Require(
                directory.CacheFor >= TimeSpan.Zero && directory.CacheFor <= TimeSpan.FromHours(1),
                $"{key}:CacheFor is {directory.CacheFor}, it must be from zero to an hour.");
        }
    }

    private static void CheckUrl(string key, string text, LdapSettings directory)
    {
        OptionsRules.Require(
            Uri.TryCreate(text, UriKind.Absolute, out var url)
                && url.Scheme is "ldap" or "ldaps"
                && url.Host.Length > 0
                && url is { PathAndQuery: "/" or "", UserInfo: "", Fragment: "" },
            $"{key}:Urls has '{text}', which is no address such as ldaps://ldap.example.com or "
            + "ldap://ldap.example.com:389.");
        var encrypted = url!.Scheme == "ldaps";
        OptionsRules.Require(
            !encrypted || !directory.StartTls,
            $"{key}:Urls has '{text}', which is encrypted from its beginning, but {key}:StartTls is true: "
            + "set it to false, or write ldap://.");
        OptionsRules.Require(
            encrypted || directory.StartTls || url.IsLoopback || directory.AllowCleartext,
            $"{key}:Urls has '{text}', to which passwords would go in the clear: write ldaps://, or set "
            + $"{key}:StartTls; {key}:AllowCleartext allows it all the same.");
    }

    private static void CheckPassword(string key, LdapSettings directory)
    {
        var hasName = !string.IsNullOrEmpty(directory.BindDn);
        var hasPassword = !string.IsNullOrEmpty(directory.BindPassword);
        OptionsRules.Require(
            !hasName || hasPassword,
            $"{key}:BindDn is '{directory.BindDn}', but there is no password for it: "
            + $"set {key}:BindPasswordFile or {key}:BindPassword.");
        OptionsRules.Require(
            hasName || !hasPassword, $"{key}:BindDn is empty, but there is a password: name whose it is.");
        OptionsRules.Require(
            directory.BindPassword?.Contains('\0', StringComparison.Ordinal) is not true,
            $"The password of {key}:BindDn has a character that no server understands (NUL): set another one.");
    }

    private static void CheckSearches(string key, LdapSettings directory)
    {
        OptionsRules.Require(
            directory.BaseDn.Contains('=', StringComparison.Ordinal) && !directory.BaseDn.Any(char.IsControl),
            $"{key}:BaseDn is '{directory.BaseDn}': name the entry that users are below, such as "
            + "ou=people,dc=example,dc=com.");
        OptionsRules.Require(
            IsFilter(directory.UserFilter) && directory.UserFilter.Contains("{user}", StringComparison.Ordinal),
            $"{key}:UserFilter is '{directory.UserFilter}', which is no filter with {{user}} such as (uid={{user}}).");
        // Users of tokens are looked for with * in that place, which such a rule would take for a name.
        OptionsRules.Require(
            !Regex.IsMatch(directory.UserFilter, @":=[^()]*\{user\}", RegexOptions.None, TimeSpan.FromSeconds(1)),
            $"{key}:UserFilter is '{directory.UserFilter}', with {{user}} behind a matching rule (:=): write it behind "
            + "= alone, such as (uid={user}).");
        OptionsRules.Require(
            IsFilter(directory.GroupFilter)
                && (directory.GroupFilter.Contains("{dn}", StringComparison.Ordinal)
                    || directory.GroupFilter.Contains("{user}", StringComparison.Ordinal)),
            $"{key}:GroupFilter is '{directory.GroupFilter}', which is no filter with {{dn}} or {{user}} such as "
            + "(member={dn}).");
        OptionsRules.Require(
            !directory.NestedGroups || directory.GroupFilter.Contains("{dn}", StringComparison.Ordinal),
            $"{key}:NestedGroups is true, but {key}:GroupFilter is '{directory.GroupFilter}', which has no {{dn}} to "
            + "put a group's name in: use one such as (member={dn}).");
        OptionsRules.Require(
            IsAttribute(directory.UserNameAttribute),
            $"{key}:UserNameAttribute is '{directory.UserNameAttribute}', which is no attribute such as uid.");
        OptionsRules.Require(
            IsAttribute(directory.GroupNameAttribute),
            $"{key}:GroupNameAttribute is '{directory.GroupNameAttribute}', which is no attribute such as cn.");
    }

    // Its parentheses; the rest of it the server judges.
    private static bool IsFilter(string text)
    {
        if (!text.StartsWith('(') || !text.EndsWith(')'))
            return false;
        var open = 0;
        for (var i = 0; i < text.Length; i++)
        {
            open += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (open == 0 && i < text.Length - 1)
                return false;
        }

        return open == 0;
    }

    private static bool IsAttribute(string text)
        => text.Length > 0 && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.');

    private static IEnumerable<(string Key, LdapSettings Directory)> Keyed(IList<LdapSettings> directories)
        => directories.Select((directory, i) => (FormattableString.Invariant($"Registry:Access:Ldap:{i}"), directory));
}
