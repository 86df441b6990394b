using Registry.Domain.Catalog;

namespace Registry.Domain.Tests.Catalog;

public sealed class PageTests
{
    [Theory]
    [InlineData(null, PageRequest.MaxSize)]
    [InlineData("0", 0)]
    [InlineData("1", 1)]
    [InlineData("007", 7)]
    [InlineData("10000", 10_000)]
    [InlineData("10001", PageRequest.MaxSize)]
    [InlineData("2147483648", PageRequest.MaxSize)]
    [InlineData("99999999999999999999999999", PageRequest.MaxSize)]
    public void The_size_is_any_whole_number_up_to_the_most_that_an_answer_carries(string? n, int size)
    {
        Assert.True(PageRequest.TryParse(n, null, out var page));
        Assert.Equal(size, page.Size);
        Assert.Null(page.After);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("-1")]
    [InlineData("-0")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("1\n")]
    [InlineData("1\0")]
    [InlineData("1.0")]
    [InlineData("1e1")]
    [InlineData("0x1")]
    [InlineData("abc")]
    [InlineData("٣")]
    [InlineData("１")]
    [InlineData("½")]
    public void Any_other_size_is_refused(string n) => Assert.False(PageRequest.TryParse(n, null, out _));

    [Fact]
    public void A_size_with_more_digits_than_anybody_needs_is_refused()
        => Assert.False(PageRequest.TryParse(new string('1', 101), null, out _));

    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("v1", "v1")]
    [InlineData("not a tag/..", "not a tag/..")]
    [InlineData("v1\0v2", "v1")]
    public void The_key_to_go_on_behind_may_be_any_text_up_to_a_NUL(string? last, string? after)
    {
        Assert.True(PageRequest.TryParse("1", last, out var page));
        Assert.Equal(after, page.After);
    }

    [Fact]
    public void No_string_makes_the_parser_throw()
    {
        Texts.ForAny(text => !PageRequest.TryParse(text, text, out var page) || page.Size is >= 0 and <= PageRequest.MaxSize);
        Texts.ForAny(text => PageRequest.TryParse("1", text, out var page) && page.After?.Contains('\0', StringComparison.Ordinal) != true);
        Texts.ForNear(["0", "100", "99999999999"],
            text => PageRequest.TryParse(text, null, out _) == (text.Length > 0 && text.All(char.IsAsciiDigit)));
    }

    [Theory]
    [InlineData(0, 3, 0, false)]
    [InlineData(2, 3, 2, false)]
    [InlineData(3, 3, 3, false)]
    [InlineData(4, 3, 3, true)]
    [InlineData(0, 0, 0, false)]
    [InlineData(1, 0, 0, false)] // n=0 has no next page (distribution-spec, "Listing Tags")
    [InlineData(2, 1, 1, true)]
    public void A_page_holds_up_to_its_size_and_tells_whether_more_follow(int read, int size, int held, bool more)
    {
        var page = Page<int>.Of([.. Enumerable.Range(0, read)], size);
        Assert.Equal(Enumerable.Range(0, held), page.Items);
        Assert.Equal(more, page.More);
    }
}
