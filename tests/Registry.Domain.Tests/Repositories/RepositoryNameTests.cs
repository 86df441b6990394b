using System.Text.RegularExpressions;
using FsCheck.Fluent;
using Registry.Domain.Repositories;

namespace Registry.Domain.Tests.Repositories;

public sealed class RepositoryNameTests
{
    // distribution-spec, "Pulling manifests", word for word.
    private static readonly Regex Grammar = new(
        @"^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*)\z",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture);

    [Theory]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("library/ubuntu")]
    [InlineData("a/b/c/d/e/f/g")]
    [InlineData("a.b_c__d-e--f---g")]
    [InlineData("a----------------------b")]
    [InlineData("0.1_2")]
    [InlineData("blobs/uploads")]
    [InlineData("v2")]
    public void A_name_of_the_spec_is_taken_as_it_is(string text)
    {
        Assert.True(RepositoryName.TryParse(text, out var name));
        Assert.Equal(text, name.Value);
        Assert.Equal(text, name.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("A")]
    [InlineData("library/Ubuntu")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData(".a")]
    [InlineData("a.")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("_a")]
    [InlineData("a_")]
    [InlineData("a..b")]
    [InlineData("a___b")]
    [InlineData("a._b")]
    [InlineData("a-_b")]
    [InlineData("a-.b")]
    [InlineData("a/-b")]
    [InlineData("a-/b")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("a\r\n")]
    [InlineData("\na")]
    [InlineData("a\0")]
    [InlineData("a\0b")]
    [InlineData("é")]
    [InlineData("а")] // Cyrillic
    [InlineData("a٣")] // a digit, but not an ASCII one
    [InlineData("ａ")] // full width
    [InlineData("a:b")]
    [InlineData("a@b")]
    [InlineData("a%2fb")]
    [InlineData("a\\b")]
    public void Anything_else_is_no_name(string? text) => Assert.False(RepositoryName.TryParse(text, out _));

    [Fact]
    public void A_name_has_up_to_255_characters()
    {
        Assert.True(RepositoryName.TryParse(new string('a', 255), out _));
        Assert.False(RepositoryName.TryParse(new string('a', 256), out _));
        Assert.True(RepositoryName.TryParse("a" + new string('-', 253) + "b", out _));
        Assert.False(RepositoryName.TryParse(string.Join('/', Enumerable.Repeat("a", 129)), out _));
    }

    [Fact]
    public void The_parser_agrees_with_the_grammar_of_the_spec_near_to_valid_names()
    {
        var component = Gen.Elements("a", "b0", "abc", "9").NonEmptyListOf()
            .SelectMany(words => Gen.Elements(".", "_", "__", "-", "---", "___", "..", "-.").Select(by => string.Join(by, words)));
        Texts.ForNear(
            component.NonEmptyListOf().Select(components => string.Join('/', components)),
            text => RepositoryName.TryParse(text, out _) == (text.Length is > 0 and <= 255 && Grammar.IsMatch(text)));
    }

    [Fact]
    public void The_parser_agrees_with_the_grammar_of_the_spec_on_any_run_of_its_letters()
    {
        var letters = Gen.Elements("aab01.__--//A\n".ToCharArray());
        Texts.ForNear(
            letters.ListOf().Select(run => string.Concat(run)),
            text => RepositoryName.TryParse(text, out _) == (text.Length is > 0 and <= 255 && Grammar.IsMatch(text)));
    }

    [Fact]
    public void No_string_makes_the_parser_throw_and_what_it_takes_stays_as_it_was()
        => Texts.ForAny(text => !RepositoryName.TryParse(text, out var name) || name.ToString() == text);

    [Fact]
    public void A_name_that_backtracking_would_choke_on_is_judged_at_once()
        => Assert.False(RepositoryName.TryParse(string.Concat(Enumerable.Repeat("a-", 127)) + "!", out _));

    [Fact]
    public void Parse_names_what_it_refuses()
        => Assert.Contains("UPPER", Assert.Throws<FormatException>(() => RepositoryName.Parse("UPPER")).Message, StringComparison.Ordinal);
}
