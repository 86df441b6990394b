using Registry.Domain.Blobs;

namespace Registry.Domain.Tests.Blobs;

public sealed class RequestedRangeTests
{
    [Theory]
    [InlineData("bytes=0-0", 0L, 0L)]
    [InlineData("bytes=2-5", 2L, 5L)]
    [InlineData("BYTES= 2-5 ", 2L, 5L)]
    [InlineData("bytes=2-", 2L, 9L)]
    [InlineData("bytes=2-99999999999999999999", 2L, 9L)]
    [InlineData("bytes=-3", 7L, 9L)]
    [InlineData("bytes=-30", 0L, 9L)]
    public void A_range_is_cut_to_the_bytes_that_are_there(string header, long first, long last)
        => Assert.Equal(new ByteRange(first, last), RequestedRange.Parse(header)!.Value.Within(10));

    [Theory]
    [InlineData("bytes=10-")]
    [InlineData("bytes=10-12")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=99999999999999999999-")]
    public void A_range_without_a_byte_is_not_satisfiable(string header)
        => Assert.Null(RequestedRange.Parse(header)!.Value.Within(10));

    [Theory]
    [InlineData("bytes=0-")]
    [InlineData("bytes=-1")]
    public void Empty_content_has_no_range(string header) => Assert.Null(RequestedRange.Parse(header)!.Value.Within(0));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("bytes=")]
    [InlineData("bytes=-")]
    [InlineData("bytes=5-2")]
    [InlineData("bytes=1-2,4-5")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=+1-2")]
    [InlineData("items=1-2")]
    public void Anything_else_asks_for_everything(string? header) => Assert.Null(RequestedRange.Parse(header));
}
