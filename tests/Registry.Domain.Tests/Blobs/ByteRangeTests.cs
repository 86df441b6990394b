using System.Globalization;
using Registry.Domain.Blobs;

namespace Registry.Domain.Tests.Blobs;

public sealed class ByteRangeTests
{
    [Theory]
    [InlineData("0-0", 0, 0, 1)]
    [InlineData("0-499", 0, 499, 500)]
    [InlineData("500-1499", 500, 1499, 1000)]
    [InlineData("007-010", 7, 10, 4)]
    [InlineData("0-9223372036854775806", 0, long.MaxValue - 1, long.MaxValue)]
    public void A_chunks_range_has_both_ends_inclusive(string text, long first, long last, long length)
    {
        Assert.True(ByteRange.TryParseContentRange(text, out var range));
        Assert.Equal(new ByteRange(first, last), range);
        Assert.Equal(length, range.Value.Length);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("5")]
    [InlineData("5-")]
    [InlineData("-5")]
    [InlineData("5-4")]
    [InlineData("1-0")]
    [InlineData("0--1")]
    [InlineData("-1-2")]
    [InlineData("+0-1")]
    [InlineData("0-+1")]
    [InlineData(" 0-1")]
    [InlineData("0-1 ")]
    [InlineData("0 - 1")]
    [InlineData("0-1\n")]
    [InlineData("0-1\0")]
    [InlineData("0\0-1")]
    [InlineData("0-1-2")]
    [InlineData("0,0-1")]
    [InlineData("0.0-1")]
    [InlineData("0x0-0x1")]
    [InlineData("0-1e3")]
    [InlineData("٠-١")]
    [InlineData("bytes 0-1")]
    [InlineData("bytes=0-1")]
    [InlineData("0-1/2")]
    [InlineData("0-1/*")]
    [InlineData("0-9223372036854775807")]
    [InlineData("0-9223372036854775808")]
    [InlineData("9223372036854775808-9223372036854775809")]
    [InlineData("0-99999999999999999999999999999999")]
    [InlineData("18446744073709551616-18446744073709551617")]
    public void Malformed_reversed_and_too_large_ranges_are_refused(string? text)
    {
        Assert.False(ByteRange.TryParseContentRange(text, out var range));
        Assert.Null(range);
    }

    [Fact]
    public void No_string_makes_the_parser_throw_and_what_it_takes_consists_of_digits_and_a_dash()
    {
        Texts.ForAny(Holds);
        Texts.ForNear(["0-0", "10-20", "9223372036854775805-9223372036854775806"], Holds);

        static bool Holds(string? text)
            => !ByteRange.TryParseContentRange(text, out var range)
                || (text!.All(c => char.IsAsciiDigit(c) || c == '-') && Agree(range.Value, text!));

        static bool Agree(ByteRange range, string text)
            => range is { First: >= 0, Length: > 0 } && range.First <= range.Last
                && text.EndsWith(range.Last.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }
}
