using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Registry.Infrastructure.Access.Ldap;

namespace Registry.Infrastructure.Tests.Access;

public sealed partial class LdapFilterTests
{
    private static readonly Gen<string> Texts = Gen.Elements("az09 *()\\&|!=~<>,;+\"#\0\r\n{}uüß٣😀/:-_.@".EnumerateRunes().ToArray())
        .ListOf().Select(runes => string.Concat(runes));

    [Fact]
    public void A_value_is_only_ever_a_value() // RFC 4515, section 3
        => Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(Texts.ToArbitrary(), text => Harmless().IsMatch(LdapFilter.Escape(text))
                && Unescape(LdapFilter.Escape(text)) == text));

    [Fact]
    public void No_value_changes_what_is_around_it()
        => Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(Texts.ToArbitrary(), Texts.ToArbitrary(), (user, dn) =>
            {
                var filled = Both().Match(LdapFilter.Fill("(&(uid={user})(member={dn}))", user, dn));
                return filled.Success && Unescape(filled.Groups["user"].Value) == user && Unescape(filled.Groups["dn"].Value) == dn;
            }));

    [Fact]
    public void No_name_changes_the_filter_that_it_narrows()
        => Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(Texts.ToArbitrary(), name =>
            {
                var filter = LdapFilter.Narrow("(&(mail={user})(x=y))", "uid", name);
                return filter.StartsWith("(&(uid=", StringComparison.Ordinal) && filter.EndsWith(")(&(mail=*)(x=y)))", StringComparison.Ordinal)
                    && filter["(&(uid=".Length..^")(&(mail=*)(x=y)))".Length] == LdapFilter.Escape(name);
            }));

    [Theory]
    [InlineData("alice", @"(uid=alice)")]
    [InlineData("*", @"(uid=\2a)")]
    [InlineData("*)(uid=*", @"(uid=\2a\29\28uid\3d\2a)")]
    [InlineData("{dn}", @"(uid=\7bdn\7d)")]
    [InlineData("ü\0", @"(uid=\c3\bc\00)")]
    public void Examples(string user, string filter)
        => Assert.Equal(filter, LdapFilter.Fill("(uid={user})", user, dn: "uid=x"));

    private static string Unescape(string escaped)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < escaped.Length; i++)
        {
            if (escaped[i] != '\\')
            {
                bytes.Add((byte)escaped[i]);
                continue;
            }

            bytes.Add(Convert.ToByte(escaped.Substring(i + 1, 2), 16));
            i += 2;
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    [GeneratedRegex(@"^(?:[a-zA-Z0-9_.@-]|\\[0-9a-f]{2})*\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Harmless();

    [GeneratedRegex(@"^\(&\(uid=(?<user>(?:[a-zA-Z0-9_.@-]|\\[0-9a-f]{2})*)\)\(member=(?<dn>(?:[a-zA-Z0-9_.@-]|\\[0-9a-f]{2})*)\)\)\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Both();
}
