using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Registry.Domain.Access;

namespace Registry.Domain.Tests.Access;

public sealed class RepositoryGlobTests
{
    [Theory]
    [InlineData("**", "a")]
    [InlineData("**", "a/b/c")]
    [InlineData("*", "a")]
    [InlineData("foo/img/**", "foo/img/a")]
    [InlineData("foo/img/**", "foo/img/a/b")]
    [InlineData("foo/*", "foo/a")]
    [InlineData("foo/*/c", "foo/b/c")]
    [InlineData("foo/**/c", "foo/c")]
    [InlineData("foo/**/c", "foo/a/b/c")]
    [InlineData("**/c", "c")]
    [InlineData("**/c", "a/b/c")]
    [InlineData("**/**/c", "c")]
    [InlineData("team-*/app", "team-/app")]
    [InlineData("team-*/app", "team-a/app")]
    [InlineData("a**z", "a/b/z")]
    [InlineData("exact", "exact")]
    public void A_name_that_fits_matches(string glob, string name) => Assert.True(Parse(glob).Matches(name));

    [Theory]
    [InlineData("foo/img/**", "foo/img")]
    [InlineData("foo/img/**", "foo/image/a")]
    [InlineData("foo/img/**", "bar/foo/img/a")]
    [InlineData("foo/*", "foo/a/b")]
    [InlineData("*", "a/b")]
    [InlineData("**/c", "abc")]
    [InlineData("**/c", "a/bc")]
    [InlineData("foo/**/c", "foo/ac")]
    [InlineData("team-*/app", "team-a/b/app")]
    [InlineData("exact", "exact/more")]
    [InlineData("exact", "exac")]
    [InlineData("exact", "inexact")]
    public void A_name_that_does_not_fit_does_not_match(string glob, string name) => Assert.False(Parse(glob).Matches(name));

    [Theory]
    [InlineData("foo/img/**", "foo/img/")]
    [InlineData("foo/i*", "foo/i")]
    [InlineData("**", "")]
    [InlineData("exact", "exact")]
    public void The_prefix_is_what_stands_before_the_first_wildcard(string glob, string prefix)
        => Assert.Equal(prefix, Parse(glob).Prefix);

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("Foo/**")]
    [InlineData("foo/[ab]")]
    [InlineData("foo/?")]
    [InlineData("foo bar")]
    [InlineData("foo\n")]
    [InlineData("/foo")]
    [InlineData("foo/")]
    [InlineData("foo/**/")]
    [InlineData("foo//**")]
    public void What_cannot_be_in_a_name_is_no_pattern(string? text) => Assert.False(RepositoryGlob.TryParse(text, out _));

    [Fact]
    public void A_pattern_is_as_long_as_a_name_at_most()
    {
        Assert.True(RepositoryGlob.TryParse(new string('a', 255), out _));
        Assert.False(RepositoryGlob.TryParse(new string('a', 256), out _));
    }

    [Fact]
    public void Every_pattern_matches_what_the_expression_of_the_same_meaning_matches()
    {
        // Few characters, so that patterns and names meet.
        var globs = Words("ab/*", 8).Where(text => RepositoryGlob.TryParse(text, out _));
        var names = Words("ab/", 8).Where(text => text.Length > 0);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(20_000),
            Prop.ForAll(globs.ToArbitrary(), names.ToArbitrary(), (glob, name) =>
                Parse(glob).Matches(name) == Regex.IsMatch(name, Expression(glob), RegexOptions.CultureInvariant)));
    }

    [Fact]
    public void The_worst_pattern_takes_no_longer_than_its_length_and_the_names()
        => Assert.False(Parse(string.Concat(Enumerable.Repeat("*a", 127))).Matches(new string('a', 126) + "b"));

    private static Gen<string> Words(string characters, int length)
        => Gen.Choose(0, length).SelectMany(size => Gen.Elements(characters.ToCharArray()).ArrayOf(size))
            .Select(word => new string(word));

    private static string Expression(string glob)
        => @"\A" + Regex.Replace(glob, @"(?<=\A|/)\*{2,}/|\*{2,}|\*", match
            => match.Value.EndsWith('/') ? "(?:[^/]*/)*" : match.Value.Length > 1 ? ".*" : "[^/]*") + @"\z";

    private static RepositoryGlob Parse(string text)
        => RepositoryGlob.TryParse(text, out var glob) ? glob : throw new FormatException(text);
}
