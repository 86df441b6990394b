using FsCheck;
using FsCheck.Fluent;
using Registry.Infrastructure.Upstreams;

namespace Registry.Infrastructure.Tests.Upstreams;

public sealed class RetryAfterTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("7", 7)]
    [InlineData(" 120 ", 120)]
    [InlineData("0", 1)]
    [InlineData("3600", 3600)]
    [InlineData("86400", 3600)]
    [InlineData("99999999999999999999999", 3600)]
    [InlineData("Fri, 02 Jan 2026 03:04:25 GMT", 20)]
    [InlineData("Fri, 02 Jan 2026 03:04:00 GMT", 1)]
    [InlineData("Sat, 03 Jan 2026 03:04:25 GMT", 3600)]
    [InlineData(null, 30)]
    [InlineData("", 30)]
    [InlineData("-5", 30)]
    [InlineData("1.5", 30)]
    [InlineData("soon", 30)]
    [InlineData("٣", 30)]
    [InlineData("2026-01-02T03:04:25Z", 30)]
    public void A_header_is_read(string? header, int seconds)
        => Assert.Equal(TimeSpan.FromSeconds(seconds), RetryAfter.Read(header, Now));

    [Fact]
    public void Whatever_it_says_it_is_between_a_second_and_an_hour()
        => Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(5000),
            Prop.ForAll(
                Gen.Elements("0123456789 ,:-+.GMTJanFri\t".ToCharArray()).ListOf().Select(characters => string.Concat(characters)).ToArbitrary(),
                text => RetryAfter.Read(text, Now).TotalSeconds is >= 1 and <= 3600));
}
