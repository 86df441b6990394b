using Registry.Domain.Access;

namespace Registry.Domain.Tests.Access;

public sealed class RobotNameTests
{
    [Theory]
    [InlineData("ci")]
    [InlineData("0")]
    [InlineData("a.b_c-d")]
    [InlineData("a--b")]
    public void Names_of_robots(string text)
    {
        Assert.True(RobotName.TryParse(text, out var name));
        Assert.Equal((text, $"robot+{text}"), (name.Value, name.LoginName));
        Assert.Equal(name, RobotName.Parse(text));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("CI")]
    [InlineData("-a")]
    [InlineData("a.")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a:b")]
    [InlineData("a+b")]
    [InlineData("ä")]
    [InlineData("a\n")]
    public void Other_texts(string? text) => Assert.False(RobotName.TryParse(text, out _));

    [Fact]
    public void A_name_has_64_characters_at_most() // S-18
    {
        Assert.True(RobotName.TryParse(new('a', 64), out _));
        Assert.False(RobotName.TryParse(new('a', 65), out _));
    }
}
