using Registry.Application.Registries;

namespace Registry.Application.Tests.Registries;

public sealed class HostPatternTests
{
    [Theory]
    [InlineData("hub.example.com")]
    [InlineData("hub.example.com:1")]
    [InlineData("*.example.com")]
    [InlineData("*.example.com:65535")]
    [InlineData("*:5001")]
    [InlineData("10.0.0.1:5001")]
    [InlineData("[::1]")]
    [InlineData("[::1]:5001")]
    public void A_pattern_reads_as_it_was_written(string text) => Assert.Equal(text, HostPattern.Parse(text).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("*")] // the registry at the root has that
    [InlineData("*.")]
    [InlineData("*.[::1]")]
    [InlineData("*example.com")]
    [InlineData("**:5001")]
    [InlineData("a.*.example.com")]
    [InlineData(":5001")]
    [InlineData("hub:")]
    [InlineData("hub:0")]
    [InlineData("hub:65536")]
    [InlineData("hub:-1")]
    [InlineData("hub:+1")]
    [InlineData("hub: 1")]
    [InlineData("hub:http")]
    [InlineData("hub:1:2")]
    [InlineData("::1")] // no client writes it without brackets
    [InlineData("[::1]5001")]
    [InlineData("http://hub")]
    [InlineData("hub/path")]
    [InlineData("h b")]
    public void What_is_no_host_is_told(string? text)
    {
        Assert.False(HostPattern.TryParse(text, out _));
        Assert.Throws<FormatException>(() => HostPattern.Parse(text!));
    }

    [Theory]
    [InlineData("HUB.Example.com", "hub.example.COM")]
    [InlineData("hub.example.com.", "hub.example.com")]
    [InlineData("*.Example.com:80", "*.example.com:80")]
    public void Patterns_that_fit_the_same_hosts_are_equal(string one, string other)
        => Assert.Equal(HostPattern.Parse(one), HostPattern.Parse(other));

    [Theory]
    [InlineData("hub", "hub.")] // with the root's dot
    [InlineData("*.hub", "a.HUB.")]
    [InlineData("*:443", "whatever")]
    public void A_host_may_be_written_in_several_ways(string pattern, string name)
        => Assert.True(HostPattern.Parse(pattern).Fits(new(name, 443)));
}
